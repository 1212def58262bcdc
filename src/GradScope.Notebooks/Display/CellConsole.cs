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
            if (Console.In is not CellInput)
                Console.SetIn(new CellInput(Console.In));
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

/// <summary>The console's input, which a cell that runs unattended does not have.</summary>
internal sealed class CellInput(TextReader outside) : TextReader
{
    public override int Peek() => Source().Peek();

    public override int Read() => Source().Read();

    public override string? ReadLine() => Source().ReadLine();

    private TextReader Source() => CellContext.Current is null ? outside : throw new InvalidOperationException(
        "Console input: nobody is there to answer while a notebook runs unattended; give the value in the cell");
}
