"""A headless Chromium for tests of pages: Debian's packages chromium and chromium-driver.

`GOTRACE_REQUIRE_BROWSER=1` turns a missing browser from a skipped test into a failed one.
`GOTRACE_CHROMIUM` and `GOTRACE_CHROMEDRIVER` name other programs.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.needs import lacking

REQUIRED = "GOTRACE_REQUIRE_BROWSER"
HINT = "apt-get install nodejs npm chromium chromium-driver; pip install selenium"


def program(variable: str, *names: str) -> str:
    """The path of a program by one of its names, or what an environment variable says."""
    named = [os.environ[variable]] if os.environ.get(variable) else names
    found = next(filter(None, map(shutil.which, named)), None)
    if found is None:
        lacking(f"{named[0]}: {HINT}", REQUIRED)
    return found


@contextlib.contextmanager
def chromium(width: int = 1200, height: int = 800) -> Iterator[Browser]:
    """Start a browser that keeps its console and what it asks the network for."""
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        lacking(f"selenium: {HINT}", REQUIRED)
    options = webdriver.ChromeOptions()
    options.binary_location = program("GOTRACE_CHROMIUM", "chromium", "chromium-browser", "chrome")
    for argument in (
        "--headless=new",
        "--no-sandbox",  # CI is root
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--force-device-scale-factor=1",
        "--force-color-profile=srgb",
        f"--window-size={width},{height}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, Service(program("GOTRACE_CHROMEDRIVER", "chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()


class Browser:
    """One window, driven by real input events."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, path: Path, *, dark: bool = False, still: bool = True) -> None:
        """Load a file, with things moving at once unless they are to be seen moving."""
        features = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce" if still else "no-preference",
        }
        media = [{"name": name, "value": value} for name, value in features.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
        self.driver.get(path.as_uri())

    def run(self, script: str, *arguments: Any) -> Any:
        """Run JavaScript and give what it returns."""
        return self.driver.execute_script(script, *arguments)

    def drawn(self) -> None:
        """Wait for two pictures: what was asked for before is on the screen then."""
        self.driver.execute_async_script(
            "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))"
        )

    def until(self, holds: Callable[[], Any], seconds: float = 10) -> Any:
        """Wait until something holds."""
        from selenium.webdriver.support.wait import WebDriverWait

        return WebDriverWait(self.driver, seconds, 0.02).until(lambda _: holds())

    def pointer(self, x: float, y: float, *, click: int = 0) -> None:
        """Move the pointer to a point of the window, and click so often."""
        from selenium.webdriver.common.actions.action_builder import ActionBuilder

        actions = ActionBuilder(self.driver, duration=0)
        actions.pointer_action.move_to_location(round(x), round(y))
        for _ in range(click):
            actions.pointer_action.click()
        actions.perform()
        self.drawn()

    def drag(self, x: float, y: float, to: float) -> None:
        """Press the button at a point of the window, move sideways, and let go."""
        from selenium.webdriver.common.actions.action_builder import ActionBuilder

        actions = ActionBuilder(self.driver, duration=0)
        pointer = actions.pointer_action
        pointer.move_to_location(round(x), round(y)).pointer_down()
        pointer.move_to_location(round((x + to) / 2), round(y)).move_to_location(
            round(to), round(y)
        )
        pointer.pointer_up()
        actions.perform()
        self.drawn()

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, by name (ENTER, ARROW_UP) or as they are typed."""
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys

        chain = ActionChains(self.driver, duration=0)
        for key in keys:
            chain.send_keys(getattr(Keys, key) if len(key) > 1 and key.isupper() else key)
        chain.perform()
        self.drawn()

    def text(self, element: str) -> str:
        """The text of an element by its id."""
        return str(self.run("return document.getElementById(arguments[0]).textContent", element))

    def console(self) -> list[str]:
        """Messages since the last time."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Addresses asked for since the last time, less those that the page's policy refused."""
        asked: dict[str, str] = {}
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            facts = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                asked[facts["requestId"]] = facts["request"]["url"]
            elif facts.get("blockedReason") == "csp":
                del asked[facts["requestId"]]
        return list(asked.values())
