using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace GradScope.Notebooks;

/// <summary>The process around a kernel: its sockets, the signals that it gets, and the parent that it does not outlive.</summary>
public static class JupyterHost
{
    private static readonly TimeSpan glance = TimeSpan.FromSeconds(0.5);

    /// <summary>
    /// Serves Jupyter clients until one asks for the end, SIGTERM comes, or the process that started this one is gone.
    /// SIGINT stops the running cell.
    /// </summary>
    /// <param name="connectionFile">The file that the client has written.</param>
    /// <param name="options">What cells find.</param>
    /// <param name="log">What is wrong with messages, and nothing else.</param>
    /// <exception cref="ConnectionFileException">The file cannot be served.</exception>
    public static async Task RunAsync(string connectionFile, SessionOptions options, TextWriter log)
    {
        using var sockets = new JupyterSockets(ConnectionFile.Load(connectionFile), log);
        using var kernel = new JupyterKernel(options, sockets.Send, log);
        using var onInterrupt = On(PosixSignal.SIGINT, kernel.Interrupt);
        using var onTerminate = On(PosixSignal.SIGTERM, kernel.Shutdown);
        sockets.Serve(kernel.Receive);
        await Task.WhenAny(kernel.Ended, WaitForParentAsync()).ConfigureAwait(false);
    }

    private static PosixSignalRegistration On(PosixSignal signal, Action act) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        act();
    });

    /// <summary>Ends when the client that has set JPY_PARENT_PID does; never where none has.</summary>
    private static async Task WaitForParentAsync()
    {
        if (!long.TryParse(Environment.GetEnvironmentVariable("JPY_PARENT_PID"), out var parent))
        {
            await Task.Delay(Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        }
        else if (OperatingSystem.IsWindows())
        {
            // There it is a handle that this process has inherited.
            using var handle = new ManualResetEvent(false) { SafeWaitHandle = new SafeWaitHandle((nint)parent, ownsHandle: false) };
            await Task.Factory.StartNew(handle.WaitOne, TaskCreationOptions.LongRunning).ConfigureAwait(false);
        }
        else
        {
            // An orphan gets another parent at once; where a launcher stands between, that one ends with the client.
            var own = GetParent();
            while (GetParent() == own && Kill((int)parent, 0) == 0)
                await Task.Delay(glance).ConfigureAwait(false);
        }
    }

    [DllImport("libc", EntryPoint = "getppid")]
    private static extern int GetParent();

    /// <summary>Signal 0 asks whether the process is there.</summary>
    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);
}
