using System.Diagnostics;
using System.Runtime.CompilerServices;
using GradScope.Cli;
using GradScope.Testing;

namespace GradScope.Jupyter.Tests;

/// <summary>Jupyter's own clients, in Python, against the installed kernel; what they ask is in clients.py.</summary>
public sealed class ClientTests(ClientTests.Installed installed) : IClassFixture<ClientTests.Installed>
{
    [RequiresFact(Tool.JupyterClient)]
    public Task Every_message_of_the_protocol_is_answered() => RunAsync("messages");

    [RequiresFact(Tool.JupyterClient)]
    public Task A_failure_aborts_what_waits_unless_told_otherwise() => RunAsync("stop_on_error");

    [RequiresFact(Tool.JupyterClient)]
    public Task Heavy_printing_stays_in_order() => RunAsync("ordering");

    [RequiresFact(Tool.JupyterClient)]
    public Task Two_thousand_updates_of_a_display_all_arrive() => RunAsync("updates");

    [RequiresFact(Tool.JupyterClient)]
    public Task An_interrupt_by_message_and_by_signal_stops_loops_and_awaits() => RunAsync("interrupt");

    [RequiresFact(Tool.JupyterClient)]
    public Task A_restart_is_a_new_session() => RunAsync("restart");

    [RequiresFact(Tool.JupyterClient)]
    public Task A_shutdown_ends_the_process() => RunAsync("shutdown");

    [RequiresFact(Tool.JupyterClient)]
    public Task Fifty_kernels_leave_no_process_port_or_file() => RunAsync("many");

    [RequiresFact(Tool.JupyterClient)]
    public Task A_message_that_is_malformed_or_wrongly_signed_is_not_fatal() => RunAsync("bad_messages");

    [RequiresFact(Tool.JupyterClient)]
    public Task Two_kernels_run_side_by_side() => RunAsync("side_by_side");

    [RequiresFact(Tool.JupyterClient)]
    public Task A_kernel_ends_with_its_client() => RunAsync("orphan");

    [RequiresFact(Tool.JupyterClient)]
    public Task Only_the_address_of_the_connection_file_is_listened_on() => RunAsync("address");

    [RequiresFact(Tool.JupyterClient)]
    public Task A_port_that_is_taken_is_told() => RunAsync("taken_port");

    [RequiresFact(Tool.NbClient, Tool.NbFormat)]
    public Task Nbclient_meets_errors_timeouts_and_updates() => RunAsync("nbclient");

    [RequiresFact(Tool.NbClient, Tool.NbFormat)]
    public Task Live_training_is_one_display_that_ends_as_the_finished_figure() => RunAsync("live");

    [RequiresFact(Tool.NbConvert, Tool.NbFormat)]
    public Task Nbconvert_runs_the_lessons_unchanged() => RunAsync("lessons", Path.GetFullPath(Path.Combine(Here(), "..", "..", "notebooks")), installed.Folder);

    /// <summary>The kernel, installed by the command for this test run alone.</summary>
    public sealed class Installed : IDisposable
    {
        private readonly Scratch scratch = new();

        public Installed() => Run("dotnet", typeof(CommandLine).Assembly.Location, "jupyter", "install");

        public string Folder => scratch.Folder;

        /// <summary>Runs a program that sees this installation and no other, and fails the test where it fails.</summary>
        public void Run(string program, params string[] arguments)
        {
            var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment["JUPYTER_DATA_DIR"] = Folder;
            start.Environment["JUPYTER_RUNTIME_DIR"] = Path.Combine(Folder, "runtime");
            start.Environment["TMPDIR"] = Directory.CreateDirectory(Path.Combine(Folder, "tmp")).FullName;
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{error.Result}\n{output}");
        }

        public void Dispose() => scratch.Dispose();
    }

    private Task RunAsync(string scenario, params string[] arguments) =>
        Task.Run(() => installed.Run(Tool.Python, [Path.Combine(Here(), "clients.py"), scenario, .. arguments]));

    private static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
