"""Five questions to a trace, in cells as of a notebook: python docs/five_questions.py FILE."""

# %% The trace, and its tables as a database (pandas is needed for what is printed)
import sys

import gotrace

FILE = sys.argv[1] if len(sys.argv) > 1 else "tests/data/real/annotations-go1.27.trace.zst"
trace = gotrace.open(FILE)
db = gotrace.connect(trace)

# %% 1. Where did the goroutines spend their time?
groups = gotrace.goroutines(trace).to_pandas().set_index("group").query("not is_system")
print(groups[["count", "exec_ns", "sched_ns", "block_ns", "total_p99_ns"]].head().to_string())

# %% 2. What did they wait for longest, and where in the code?
db.sql("""
    SELECT wait, site, count(*) AS times, sum(duration_ns) / 1e6 AS ms
    FROM goroutine_states JOIN stacks USING (stack_id)
    WHERE state = 'waiting' AND site NOT NULL GROUP BY ALL ORDER BY ms DESC LIMIT 5""").show()

# %% 3. Which task took longest, and what held it up?
task = db.sql("FROM tasks WHERE complete ORDER BY duration_ns DESC LIMIT 1").to_df().iloc[0]
ended_by, start, end = (int(task[name]) for name in ("end_goroutine", "start_ns", "end_ns"))
path = gotrace.critical_path(trace, ended_by, start, end).to_pandas()
print(task["name"], path.groupby(["goroutine", "state"], observed=True).duration_ns.sum())

# %% 4. Who woke goroutine 1, and how soon did it run then?
db.sql("""
    SELECT by_goroutine, count(*) AS times, max(duration_ns) / 1e3 AS longest_us
    FROM goroutine_states WHERE goroutine = 1 AND state = 'runnable' AND by_kind = 'unblock'
    GROUP BY ALL ORDER BY longest_us DESC""").show()

# %% 5. Off the processor, which paths of calls cost most?
flame = gotrace.flame(trace, "offcpu", group="main.").to_pandas()
print(flame.nlargest(8, "self")[["depth", "name", "self", "samples"]].to_string())
