/* Python inside a libFuzzer executable: the core and one target, compiled in, instrumented.
 *
 * The target is a Cython module (tests/fuzz/TARGET.pyx) that says what one input does. Its build
 * gives FUZZ_TARGET, the module's name, and FUZZ_INIT, its PyInit function.
 */
#include <Python.h>

long fuzz_allocations_left = -1; /* see failing_alloc.h */
int fuzz_failure_is_sticky = 0;

PyMODINIT_FUNC PyInit__core(void);
PyMODINIT_FUNC FUZZ_INIT(void);

/* The core is no file: it is imported by hand under the name that it has in its package. */
static const char *bootstrap =
    "import importlib.machinery, importlib.util, sys\n"
    "spec = importlib.machinery.ModuleSpec('gotrace._core', importlib.machinery.BuiltinImporter)\n"
    "sys.modules[spec.name] = core = importlib.util.module_from_spec(spec)\n"
    "spec.loader.exec_module(core)\n";

static void stop(const char *what) {
    if (PyErr_Occurred()) PyErr_Print();
    fprintf(stderr, "fuzz: %s\n", what);
    exit(70);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    PyPreConfig before;
    PyConfig config;
    PyObject *target;
    const char *python = getenv("GOTRACE_FUZZ_PYTHON");

    (void)argc;
    (void)argv;
    PyPreConfig_InitPythonConfig(&before);
    if (PyStatus_Exception(Py_PreInitialize(&before))) stop("no Python");
    if (PyImport_AppendInittab("_core", PyInit__core) < 0) stop("no core");
    if (PyImport_AppendInittab("gotrace._core", PyInit__core) < 0) stop("no core");
    if (PyImport_AppendInittab(FUZZ_TARGET, FUZZ_INIT) < 0) stop("no target");
    PyConfig_InitPythonConfig(&config);
    config.install_signal_handlers = 0;
    if (python && PyStatus_Exception(PyConfig_SetBytesString(&config, &config.program_name, python)))
        stop("GOTRACE_FUZZ_PYTHON is not a path");
    if (PyStatus_Exception(Py_InitializeFromConfig(&config))) stop("no Python");
    PyConfig_Clear(&config);
    if (PyRun_SimpleString(bootstrap) < 0) stop("the core cannot be imported");
    target = PyImport_ImportModule(FUZZ_TARGET);
    if (!target) stop("the target cannot be imported");
    return 0;
}
