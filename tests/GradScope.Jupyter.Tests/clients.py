"""Jupyter's own clients against the kernel: `python3 clients.py SCENARIO`, with the kernel installed in JUPYTER_DATA_DIR."""
import contextlib
import glob
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import start_new_kernel

KERNEL, ALIAS = "gradscope", ".net-csharp"
PATIENCE = 60


@contextlib.contextmanager
def kernel(name=KERNEL):
    manager, client = start_new_kernel(startup_timeout=PATIENCE, kernel_name=name)
    try:
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(client, code, **options):
    """The reply, and the broadcasts between busy and idle as (type, content)."""
    outputs = []
    reply = client.execute_interactive(
        code, timeout=PATIENCE, output_hook=lambda message: outputs.append((message["msg_type"], message["content"])), **options)
    return reply["content"], outputs[1:-1]


def of(outputs, kind):
    return [content for type, content in outputs if type == kind]


def text(outputs, stream="stdout"):
    return "".join(content["text"] for content in of(outputs, "stream") if content["name"] == stream)


def value(outputs):
    return of(outputs, "execute_result")[0]["data"]["text/plain"]


def wait_for_stream(client, expected):
    while True:
        message = client.get_iopub_msg(timeout=PATIENCE)
        if message["msg_type"] == "stream" and expected in message["content"]["text"]:
            return


def reply_to(client, id, channel="shell"):
    get = client.get_shell_msg if channel == "shell" else client.get_control_msg
    while True:
        message = get(timeout=PATIENCE)
        if message["parent_header"].get("msg_id") == id:
            return message["content"]


def process_of(manager):
    return manager.provisioner.process.pid


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def ports_of(manager):
    return [manager.shell_port, manager.iopub_port, manager.stdin_port, manager.hb_port, manager.control_port]


def messages():
    """Every request of the protocol, from one client."""
    with kernel() as (manager, client):
        info = reply_to(client, client.kernel_info())
        assert info["protocol_version"] == "5.3" and info["language_info"]["name"] == "C#", info
        assert client.is_alive()

        reply, outputs = run(client, 'var x = 20; Console.Write("out"); Console.Error.Write("err"); display("shown"); x + 1')
        assert reply["status"] == "ok" and reply["execution_count"] == 1, reply
        assert [kind for kind, _ in outputs] == ["execute_input", "stream", "stream", "display_data", "execute_result"], outputs
        assert (text(outputs), text(outputs, "stderr"), value(outputs)) == ("out", "err", "21"), outputs

        reply, outputs = run(client, "x", silent=True)
        assert reply["status"] == "ok" and outputs == [], outputs
        reply, _ = run(client, "x", user_expressions={"double": "x * 2", "wrong": "y"})
        assert reply["user_expressions"]["double"]["data"]["text/plain"] == "40", reply
        assert reply["user_expressions"]["wrong"]["status"] == "error", reply

        reply, outputs = run(client, 'throw new Exception("broken");')
        assert reply["status"] == "error" and "cell 3, line 1" in "\n".join(of(outputs, "error")[0]["traceback"]), outputs

        assert reply_to(client, client.is_complete("for (;;) {"))["status"] == "incomplete"
        assert reply_to(client, client.is_complete("x"))["status"] == "complete"
        assert "WriteLine" in reply_to(client, client.complete("Console.Wri", 11))["matches"]
        assert reply_to(client, client.complete("x.ToStr", 7))["matches"] == ["ToString"]
        found = reply_to(client, client.inspect("Math.Max(1, 2)", 7))
        assert found["found"] and "Math.Max" in found["data"]["text/plain"], found
        history = reply_to(client, client.history(hist_access_type="tail", n=1))["history"]
        assert history == [[1, 3, 'throw new Exception("broken");']], history
        assert reply_to(client, client.comm_info())["comms"] == {}

        _, outputs = run(client, "GradScope.Notebooks.CellContext.Current.ClearOutput();")
        assert of(outputs, "clear_output") == [{"wait": False}], outputs

        asked = []
        _, outputs = run(client, 'Console.Write($"<{Console.ReadLine()}>");', allow_stdin=True,
                         stdin_hook=lambda message: (asked.append(message["content"]), client.input("Ada")))
        assert asked == [{"prompt": "", "password": False}] and text(outputs) == "<Ada>", (asked, outputs)


def stop_on_error():
    with kernel() as (_, client):
        codes = ["await Task.Delay(300); throw new Exception();", "1", "2"]
        ids = [client.execute(code) for code in codes]
        assert [reply_to(client, id)["status"] for id in ids] == ["error", "aborted", "aborted"]
        ids = [client.execute(code, stop_on_error=False) for code in codes]
        assert [reply_to(client, id)["status"] for id in ids] == ["error", "ok", "ok"]


def ordering():
    """20,000 pieces of text on two streams, with displays between them, arrive whole and in order."""
    with kernel() as (_, client):
        _, outputs = run(client, """
            for (var i = 0; i < 20_000; i++)
            {
                (i % 50 == 0 ? Console.Error : Console.Out).Write($"{i} ");
                if (i % 1000 == 0) display($"{i} ");
            }
            """)
        shown = [content["data"]["text/plain"] if kind == "display_data" else content["text"]
                 for kind, content in outputs if kind in ("stream", "display_data")]
        expected = [i for i in range(20_000) for _ in range(2 if i % 1000 == 0 else 1)]
        assert [int(number) for number in "".join(shown).split()] == expected
        assert len(outputs) < 1500, len(outputs)


def updates():
    with kernel() as (_, client):
        _, outputs = run(client, 'var view = display("0"); for (var i = 1; i <= 2000; i++) view.Update($"{i}");')
        ids = {content["transient"]["display_id"] for content in of(outputs, "display_data") + of(outputs, "update_display_data")}
        assert len(ids) == 1, ids
        assert [content["data"]["text/plain"] for content in of(outputs, "update_display_data")] == [str(i) for i in range(1, 2001)]


def interrupt():
    with kernel() as (manager, client):
        run(client, "var kept = 7;")
        stops = {"message": manager.interrupt_kernel, "signal": lambda: os.kill(process_of(manager), signal.SIGINT)}
        for code in "while (true) { }", "await Task.Delay(-1);":
            for name, stop in stops.items():
                id = client.execute(f'Console.Write("under way"); {code}')
                wait_for_stream(client, "under way")
                stop()
                try:
                    reply = reply_to(client, id)
                except queue.Empty:
                    raise AssertionError(
                        f"{code} went on after a {name}; process there: {is_running(process_of(manager))}, heartbeat: {client.is_alive()}")
                assert (reply["status"], reply["ename"]) == ("error", "Interrupted"), reply
                _, outputs = run(client, "kept")
                assert value(outputs) == "7", outputs


def restart():
    with kernel() as (manager, client):
        run(client, "var gone = 1;")
        before = process_of(manager)
        manager.restart_kernel()
        client.wait_for_ready(timeout=PATIENCE)
        assert process_of(manager) != before and not is_running(before)
        reply, outputs = run(client, "gone")
        assert reply["status"] == "error" and reply["execution_count"] == 1, reply
        assert "CS0103" in reply["evalue"], reply


def shutdown():
    """Both channels take it, a cell that runs does not hold it up, and nothing else is needed to end the process."""
    for channel in "control", "shell":
        with kernel() as (manager, client):
            process = manager.provisioner.process
            if channel == "control":
                client.execute('Console.Write("under way"); while (true) { }')
                wait_for_stream(client, "under way")
            message = client.session.msg("shutdown_request", {"restart": False})
            getattr(client, channel + "_channel").send(message)
            assert reply_to(client, message["header"]["msg_id"], channel) == {"status": "ok", "restart": False}
            assert process.wait(PATIENCE) == 0, process.returncode


def many():
    """50 kernels, four at a time: no process, port or file of theirs is left."""
    def files():
        return {path for pattern in ("*", ".*") for path in glob.glob(os.path.join(tempfile.gettempdir(), pattern))}

    def one(number):
        manager, client = start_new_kernel(startup_timeout=PATIENCE, kernel_name=KERNEL)
        pid, ports, file = process_of(manager), ports_of(manager), manager.connection_file
        _, outputs = run(client, f"{number} + 1")
        assert value(outputs) == str(number + 1)
        client.stop_channels()
        manager.shutdown_kernel()
        return pid, ports, file

    before = files()
    with ThreadPoolExecutor(4) as pool:
        kernels = list(pool.map(one, range(50)))
    for pid, ports, file in kernels:
        assert not is_running(pid), pid
        assert not os.path.exists(file), file
        assert all(is_free(port) for port in ports), ports
    left = files() - before
    assert not left, left


def bad_messages():
    """What is signed with another key, or is no message at all, is told on stderr; the kernel serves on."""
    import zmq

    with tempfile.TemporaryFile("w+") as log:
        manager, client = start_new_kernel(startup_timeout=PATIENCE, kernel_name=KERNEL, stderr=log)
        try:
            stranger = client.session.clone()
            stranger.key = b"another key"
            for channel in client.shell_channel, client.control_channel, client.stdin_channel:
                stranger.send(channel.socket, stranger.msg("execute_request", {"code": "Environment.Exit(1);"}))
                channel.socket.send_multipart([b"no", b"message"])
            with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
                socket.connect(f"tcp://127.0.0.1:{manager.shell_port}")
                socket.send(os.urandom(1000))
            _, outputs = run(client, "40 + 2")
            assert value(outputs) == "42", outputs
            assert manager.is_alive()
        finally:
            client.stop_channels()
            manager.shutdown_kernel()
        log.seek(0)
        lines = log.read()
        assert lines.count("it is not signed with the key of the connection file") == 3, lines
        assert lines.count("frames are no message") == 4, lines


def side_by_side():
    with kernel() as (_, one), kernel(ALIAS) as (_, two):
        run(one, "var name = 1;")
        run(two, "var name = 2;")
        assert [value(run(client, "name")[1]) for client in (one, two)] == ["1", "2"]


def orphan():
    """A kernel whose client is killed ends by itself, though a cell runs."""
    script = """
import sys
sys.path.insert(0, sys.argv[1])
import clients
manager, client = clients.start_new_kernel(kernel_name=clients.KERNEL)
client.execute('Console.Write("under way"); while (true) { }')
clients.wait_for_stream(client, "under way")
print(clients.process_of(manager), manager.connection_file, flush=True)
input()
"""
    parent = subprocess.Popen([sys.executable, "-c", script, os.path.dirname(os.path.abspath(__file__))],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid, file = parent.stdout.readline().split()
    assert is_running(pid)
    parent.kill()
    parent.wait()
    wait_until(lambda: not is_running(pid), f"kernel {pid} has outlived its client")
    os.remove(file)


def address():
    """Only the address of the connection file is listened on."""
    with kernel() as (manager, client):
        run(client, "1")
        with open("/proc/net/tcp") as table, open("/proc/net/tcp6") as table6:
            listening = [line.split()[1] for line in table.readlines()[1:] + table6.readlines()[1:] if line.split()[3] == "0A"]
        for port in ports_of(manager):
            assert [entry for entry in listening if int(entry.split(":")[1], 16) == port] == [f"0100007F:{port:04X}"], listening


def taken_port():
    with kernel() as (manager, _):
        second = subprocess.run(KernelSpecManager().get_kernel_spec(KERNEL).argv[:-1] + [manager.connection_file], capture_output=True, text=True)
        assert second.returncode == 2 and "cannot be bound to" in second.stderr, second


def lessons(folder, outputs):
    """The lessons as they are, by nbconvert: the kernel is found under the name that they carry."""
    import nbformat

    for path in sorted(glob.glob(os.path.join(folder, "*.ipynb"))):
        subprocess.run([sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--output-dir", outputs, path], check=True, capture_output=True, text=True)
        done = nbformat.read(os.path.join(outputs, os.path.basename(path)), as_version=4)
        nbformat.validate(done)
        code = [cell for cell in done.cells if cell.cell_type == "code" and cell.source.strip()]
        assert all(cell.execution_count for cell in code), path
        shown = [output for cell in code for output in cell.outputs]
        assert not [output for output in shown if output.output_type == "error"], path
        assert sum("<svg" in output.get("data", {}).get("text/html", "") for output in shown) >= 3, path


def nbclient():
    """nbclient by itself: errors, timeouts and displays updated in place."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    def execute(*sources, **options):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        return NotebookClient(notebook, kernel_name=ALIAS, **options).execute()

    done = execute('var view = display("first");\nConsole.Write("a");', 'view.Update("second"); 6 * 7')
    assert done.cells[0].outputs[0]["data"]["text/plain"] == "second", done.cells[0]
    assert done.cells[1].outputs[0]["data"]["text/plain"] == "42", done.cells[1]
    try:
        execute("1", 'throw new Exception("broken");', "2")
        raise AssertionError("no error")
    except CellExecutionError as error:
        assert "broken" in str(error) and "cell 2, line 1" in str(error), error
    try:
        execute("while (true) { }", timeout=1)
        raise AssertionError("no timeout")
    except CellTimeoutError:
        pass
    done = execute("while (true) { }", "5", timeout=1, interrupt_on_timeout=True, allow_errors=True)
    assert done.cells[0].outputs[0].ename == "Interrupted", done.cells[0]


def live():
    """A cell that trains shows one display, updated while it runs, which ends as the finished figure; interrupted, it keeps what there is."""
    import nbformat
    from nbclient import NotebookClient

    code = '''#r "nuget: GradScope.Interactive"
using GradScope;
var trainer = new Trainer(new MiniTransformer(vocabSize: 3, modelDim: 16, heads: 2, contextLength: 11), new SortTask()) { BatchSize = 8 };'''

    def tells(data, steps):
        assert f"{steps}steps" in re.sub(r"\W", "", data["text/plain"]), data["text/plain"]
        assert "<svg" in data["text/html"]

    with kernel() as (manager, client):
        assert run(client, code)[0]["status"] == "ok"
        reply, outputs = run(client, "await trainer.TrainAsync(steps: 20_000);")
        assert reply["status"] == "ok", reply
        shown, updates = of(outputs, "display_data"), of(outputs, "update_display_data")
        assert len(shown) == 1 and len(updates) > 1, outputs
        assert {content["transient"]["display_id"] for content in updates} == {shown[0]["transient"]["display_id"]}
        tells(updates[-1]["data"], 20_000)

        id = client.execute("await trainer.TrainAsync(steps: 10_000_000);")
        while client.get_iopub_msg(timeout=PATIENCE)["msg_type"] != "update_display_data":
            pass
        manager.interrupt_kernel()
        reply_to(client, id)
        steps = int(value(run(client, "trainer.Steps")[1]))
        assert 20_000 < steps < 10_020_000, steps
        _, outputs = run(client, "await trainer.TrainAsync(steps: 10);")
        tells(of(outputs, "update_display_data")[-1]["data"], steps + 10)

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code), nbformat.v4.new_code_cell("await trainer.TrainAsync(steps: 20_000);")])
    NotebookClient(notebook, kernel_name=KERNEL, timeout=PATIENCE).execute()
    nbformat.validate(notebook)
    (saved,) = notebook.cells[1].outputs
    tells(saved["data"], 20_000)


def speed(lesson=None):
    """Prints what a client waits for and what the kernel takes, with a lesson run in between where one is named; asserts nothing of either."""
    begun = time.perf_counter()
    manager, client = start_new_kernel(kernel_name=KERNEL)

    def timed(name, act):
        start = time.perf_counter()
        done = act()
        print(f"{name}: {(time.perf_counter() - start) * 1000:.0f} ms")
        return done

    def memory(when):
        with open(f"/proc/{process_of(manager)}/status") as status:
            lines = dict(line.split(":", 1) for line in status)
        print(f"memory {when}: {int(lines['VmRSS'].split()[0]) / 1024:.0f} MB, {int(lines['VmHWM'].split()[0]) / 1024:.0f} MB at its peak")

    print(f"ready: {(time.perf_counter() - begun) * 1000:.0f} ms")
    timed("first cell", lambda: run(client, 'Console.WriteLine("hi"); 1 + 1'))
    for _ in range(3):
        timed("later cell", lambda: run(client, "var x = 1; x + 1"))
    memory("after four cells")
    if lesson is not None:
        import nbformat

        folder, cells = os.path.dirname(os.path.abspath(lesson)), nbformat.read(lesson, as_version=4).cells
        run(client, f'Environment.CurrentDirectory = @"{folder}";')
        for cell in cells:
            if cell.cell_type == "code":
                assert run(client, cell.source)[0]["status"] == "ok", cell.source
        memory("after the lesson")
    for _ in range(4):
        found = timed("completion", lambda: reply_to(client, client.complete("Console.Wri", 11)))
        assert "WriteLine" in found["matches"], found
    assert timed("inspection", lambda: reply_to(client, client.inspect("Math.Max(1, 2)", 7)))["found"]
    memory("after completion")
    client.stop_channels()
    timed("shutdown", manager.shutdown_kernel)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
