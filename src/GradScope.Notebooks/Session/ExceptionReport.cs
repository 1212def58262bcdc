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
internal sealed partial class ExceptionReport(IReadOnlyDictionary<string, string[]> sources)
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

    public CellOutput.Error Of(Exception error, string cell)
    {
        var cause = Unwrap(error);
        var traceback = new List<string>();
        for (var e = cause; e is not null; e = e.InnerException)
        {
            traceback.Add($"{(e == cause ? "" : "caused by ")}{e.GetType().FullName}: {e.Message}");
            traceback.AddRange(Frames(e).Select(Describe));
        }
        var line = new StackTrace(cause, fNeedFileInfo: true).GetFrames()
            .LastOrDefault(frame => CellOf(frame.GetFileName()) == cell)?.GetFileLineNumber();
        return new(cause.GetType().Name, cause.Message, traceback, line is > 0 ? line : null);
    }

    public CellOutput.Error Of(ImmutableArray<Diagnostic> diagnostics, string cell)
    {
        var errors = diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error).ToList();
        var traceback = errors.SelectMany(error => Describe(error, cell)).ToList();
        var first = errors[0];
        return new("CompilationError", Message(first), traceback, Line(first));
    }

    public static CellOutput.Error Of(DirectiveException error, string cell) =>
        new("DirectiveError", error.Message, [$"{error.Message} ({cell}, line {error.Line})"], error.Line);

    private IEnumerable<string> Describe(Diagnostic error, string cell)
    {
        var at = error.Location.GetLineSpan();
        if (!error.Location.IsInSource)
        {
            yield return Message(error);
            yield break;
        }
        var file = string.IsNullOrEmpty(at.Path) ? cell : at.Path;
        yield return $"{file}, line {at.StartLinePosition.Line + 1}, column {at.StartLinePosition.Character + 1}: {Message(error)}";
        if (Source(file, at.StartLinePosition.Line + 1) is not { } source)
            yield break;
        var end = at.EndLinePosition.Line == at.StartLinePosition.Line ? at.EndLinePosition.Character : source.Length;
        var marks = Math.Max(1, end - at.StartLinePosition.Character);
        yield return $"    {source.Replace('\t', ' ')}";
        yield return $"    {new string(' ', at.StartLinePosition.Character)}{new string('^', marks)}";
    }

    private static string Message(Diagnostic error) => $"{error.Id}: {error.GetMessage(CultureInfo.InvariantCulture)}";

    private static int? Line(Diagnostic error) =>
        error.Location.IsInSource ? error.Location.GetLineSpan().StartLinePosition.Line + 1 : null;

    /// <summary>From the throw down to the outermost line of a cell; everything where no cell is in the trace.</summary>
    private IEnumerable<StackFrame> Frames(Exception error)
    {
        var frames = new StackTrace(error, fNeedFileInfo: true).GetFrames();
        var last = Array.FindLastIndex(frames, IsCell);
        return (last < 0 ? frames : frames[..(last + 1)]).Where(frame => IsCell(frame) || !IsPlumbing(frame));
    }

    private bool IsCell(StackFrame frame) => frame.GetFileName() is { } file && sources.ContainsKey(CellOf(file));

    /// <summary>The compiler notes a cell as a file of that name in the session's folder.</summary>
    private static string CellOf(string? file) => Path.GetFileName(file) ?? "";

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
        var (file, line) = (CellOf(frame.GetFileName()), frame.GetFileLineNumber());
        var name = CellName(method);
        var source = Source(file, line)?.Trim();
        return $"   at {(name is null ? "" : name + " in ")}{file}, line {line}{(string.IsNullOrEmpty(source) ? "" : ": " + source)}";
    }

    private string? Source(string file, int line) =>
        sources.TryGetValue(file, out var lines) && line >= 1 && line <= lines.Length ? lines[line - 1] : null;

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
