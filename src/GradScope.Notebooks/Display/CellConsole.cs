using System.Text;

namespace GradScope.Notebooks;

/// <summary>
/// Stands in for the process's console: what a cell prints goes to that cell, in order with its displays; what anybody
/// else prints goes where it always went.
/// </summary>
internal sealed class CellConsole : TextWriter
{
    private static readonly Lock gate = new();
    private static TextWriter? output, error;

    private readonly string name;
    private readonly TextWriter outside;

    private CellConsole(string name, TextWriter outside)
    {
        this.name = name;
        this.outside = outside;
        CoreNewLine = ['\n'];
    }

    public override Encoding Encoding => outside.Encoding;

    /// <summary>Takes the console's place, again where a cell has put something else there.</summary>
    public static void Install()
    {
        lock (gate)
        {
            if (output is null || Console.Out != output)
            {
                Console.SetOut(output ?? new CellConsole("stdout", Console.Out));
                output = Console.Out;
            }
            if (error is null || Console.Error != error)
            {
                Console.SetError(error ?? new CellConsole("stderr", Console.Error));
                error = Console.Error;
            }
            if (Console.In is not CellConsoleInput)
                Console.SetIn(new CellConsoleInput(Console.In));
        }
    }

    public override void Write(char value) => Write(value.ToString());

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void Write(string? value)
    {
        if (string.IsNullOrEmpty(value))
            return;
        if (CellContext.Current is { } cell)
            cell.Publish(new CellOutput.Stream(name, value));
        else
            outside.Write(value);
    }

    public override void WriteLine(string? value) => Write(value + "\n");

    public override void Flush() => outside.Flush();
}

/// <summary>Stands in for the process's input: a cell reads from its own, anybody else from where they always did.</summary>
internal sealed class CellConsoleInput(TextReader outside) : TextReader
{
    private TextReader Source => CellContext.Current?.Input ?? outside;

    public override int Peek() => Source.Peek();

    public override int Read() => Source.Read();

    public override string? ReadLine() => Source.ReadLine();
}

/// <summary>
/// A cell's input: lines that somebody is asked for when they are needed. One that is read in characters ends in a line break.
/// </summary>
/// <param name="readLine">Asks for a line; null where nobody is there.</param>
/// <param name="stop">Stops waiting for the answer.</param>
internal sealed class CellInput(Func<CancellationToken, string>? readLine, CancellationToken stop) : TextReader
{
    private string rest = "";

    public override int Peek()
    {
        if (rest.Length == 0)
            rest = Ask() + "\n";
        return rest[0];
    }

    public override int Read()
    {
        var next = Peek();
        rest = rest[1..];
        return next;
    }

    public override string? ReadLine()
    {
        if (rest.Length == 0)
            return Ask();
        var line = rest.TrimEnd('\n');
        rest = "";
        return line;
    }

    private string Ask()
    {
        // It is the token that ends the waiting.
        using var shield = CellExecution.Protect();
        return readLine is null
            ? throw new InvalidOperationException("Console input: nobody is there to answer while a notebook runs unattended; give the value in the cell")
            : readLine(stop);
    }
}
