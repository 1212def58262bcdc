using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;

namespace GradScope.Notebooks;

/// <summary>
/// Turns what went wrong in a cell into what its author needs: the message, their own frames with cell and line, the
/// library's frames above them, and none of the compiler's or the host's.
/// </summary>
internal sealed partial class ExceptionReport(CellSources sources)
{
    private static readonly string[] plumbing =
        ["System.Runtime.CompilerServices", "System.Runtime.ExceptionServices", "System.Threading.Tasks", "System.Threading"];

    /// <summary>The exception that matters inside of those which only carry it.</summary>
    public static Exception Unwrap(Exception error) => error switch
    {
        AggregateException { InnerExceptions: [var only] } => Unwrap(only),
        TargetInvocationException { InnerException: { } inner } => Unwrap(inner),
        _ => error,
    };

    public CellOutput.Error Of(Exception error, CellSource source)
    {
        var cause = Unwrap(error);
        var traceback = new List<string>();
        for (var e = cause; e is not null; e = e.InnerException)
        {
            traceback.Add($"{(e == cause ? "" : "caused by ")}{e.GetType().FullName}: {Message(e)}");
            traceback.AddRange(Frames(e).Select(Describe));
        }
        var frames = new StackTrace(cause, fNeedFileInfo: true).GetFrames();
        if (Array.FindLast(frames, frame => frame.GetFileName() == source.Path) is { } own)
            return new(cause.GetType().Name, Message(cause), traceback, own.GetFileLineNumber());

        // A file that the cell loads runs on its own, without a line of the cell below it.
        var place = Array.FindLast(frames, IsCell) is { } frame && sources.Find(frame.GetFileName()) is { File: not null } file
            ? $"{file.Name}, line {frame.GetFileLineNumber()}: " : "";
        return new(cause.GetType().Name, place + Message(cause), traceback, Line: null);
    }

    public CellOutput.Error Of(ImmutableArray<Diagnostic> diagnostics, CellSource source)
    {
        var errors = diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error).ToList();
        var traceback = errors.SelectMany(Describe).ToList();
        var first = errors[0];
        var at = first.Location.GetLineSpan();
        if (!first.Location.IsInSource)
            return new("CompilationError", Message(first), traceback, Line: null);
        var line = at.StartLinePosition.Line + 1;
        return sources.Find(at.Path) is { } file && file != source
            ? new("CompilationError", $"{file.Name}, line {line}: {Message(first)}", traceback, Line: null)
            : new("CompilationError", Message(first), traceback, line);
    }

    public static CellOutput.Error Of(DirectiveException error, CellSource source) =>
        new("DirectiveError", error.Message, [$"{error.Message} ({source.Name}, line {error.Line})"], error.Line);

    private IEnumerable<string> Describe(Diagnostic error)
    {
        var at = error.Location.GetLineSpan();
        if (!error.Location.IsInSource || sources.Find(at.Path) is not { } source)
        {
            yield return Message(error);
            yield break;
        }
        yield return $"{source.Name}, line {at.StartLinePosition.Line + 1}, column {at.StartLinePosition.Character + 1}: {Message(error)}";
        if (source.Line(at.StartLinePosition.Line + 1) is not { } line)
            yield break;
        var end = at.EndLinePosition.Line == at.StartLinePosition.Line ? at.EndLinePosition.Character : line.Length;
        var marks = Math.Max(1, end - at.StartLinePosition.Character);
        yield return $"    {line.Replace('\t', ' ')}";
        yield return $"    {new string(' ', at.StartLinePosition.Character)}{new string('^', marks)}";
    }

    /// <summary>An exception's own code may fail too.</summary>
    public static string Message(Exception error)
    {
        try
        {
            return error.Message;
        }
        catch (Exception second) when (second is not (ThreadInterruptedException or OperationCanceledException))
        {
            return $"(its Message threw {second.GetType().Name})";
        }
    }

    private static string Message(Diagnostic error) => $"{error.Id}: {error.GetMessage(CultureInfo.InvariantCulture)}";

    /// <summary>From the throw down to the outermost line of a cell; everything where no cell is in the trace.</summary>
    private IEnumerable<StackFrame> Frames(Exception error)
    {
        var frames = new StackTrace(error, fNeedFileInfo: true).GetFrames();
        var last = Array.FindLastIndex(frames, IsCell);
        return (last < 0 ? frames : frames[..(last + 1)]).Where(frame => IsCell(frame) || !IsPlumbing(frame));
    }

    private bool IsCell(StackFrame frame) => sources.Find(frame.GetFileName()) is not null;

    private static bool IsPlumbing(StackFrame frame)
    {
        var method = DiagnosticMethodInfo.Create(frame);
        var type = method?.DeclaringTypeName ?? "";
        return method is null || type.StartsWith("Submission#", StringComparison.Ordinal)
            || plumbing.Any(space => type.StartsWith(space + ".", StringComparison.Ordinal))
            || type.StartsWith("Microsoft.CodeAnalysis.Scripting.", StringComparison.Ordinal)
            || type.StartsWith(typeof(ExceptionReport).Namespace + ".", StringComparison.Ordinal);
    }

    private string Describe(StackFrame frame)
    {
        var method = DiagnosticMethodInfo.Create(frame)!;
        if (!IsCell(frame))
            return $"   at {LibraryName(method)}";
        var (source, line) = (sources.Find(frame.GetFileName())!, frame.GetFileLineNumber());
        var name = CellName(method);
        var text = source.Line(line)?.Trim();
        return $"   at {(name is null ? "" : name + " in ")}{source.Name}, line {line}{(string.IsNullOrEmpty(text) ? "" : ": " + text)}";
    }

    /// <summary>An async method's frame is its state machine's MoveNext: its own name stands in the machine's.</summary>
    private static string LibraryName(DiagnosticMethodInfo method) =>
        method.Name == "MoveNext" && StateMachine().Match(method.DeclaringTypeName ?? "") is { Success: true } machine
            ? $"{machine.Groups["type"]}.{machine.Groups["name"]}"
            : $"{method.DeclaringTypeName?.Replace('+', '.')}.{method.Name}";

    /// <summary>The function that a frame of a cell is in; null for the cell's own lines.</summary>
    private static string? CellName(DiagnosticMethodInfo method)
    {
        var type = method.DeclaringTypeName ?? "";
        if (LocalFunction().Match(method.Name + type) is { Success: true } local)
            return local.Groups["name"].Value;
        if (method.Name.Contains(">b__", StringComparison.Ordinal) || type.Contains(">b__", StringComparison.Ordinal))
            return "a lambda";
        if (type.Contains("<<Initialize>>", StringComparison.Ordinal) || method.Name is "<Initialize>" or "<Factory>")
            return null;
        if (method.Name == "MoveNext" && StateMachine().Match(type) is { Success: true } machine)
            return machine.Groups["name"].Value;
        var nested = type.IndexOf('+', StringComparison.Ordinal);
        return nested < 0 ? method.Name : $"{type[(nested + 1)..].Replace('+', '.')}.{method.Name}";
    }

    [GeneratedRegex(@"^(?<type>.*)\+<(?<name>[^<>]+)>d(__\d+)?")]
    private static partial Regex StateMachine();

    [GeneratedRegex(@">g__(?<name>[^|]+)\|")]
    private static partial Regex LocalFunction();
}
