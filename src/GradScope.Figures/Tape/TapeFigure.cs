using System.Globalization;
using System.Text;
using System.Text.Json;

namespace GradScope.Figures;

/// <summary>
/// A tape as it was recorded: one row a step, with its formula, its value, its gradient, and what its backward adds to its
/// inputs. Read downwards it is the forward pass, upwards the backward pass.
/// </summary>
public static class TapeFigure
{
    private const int MostRows = 160;

    /// <summary>Draws the tape; where backward has not run it says so and shows values alone.</summary>
    public static Figure Draw(TapeFrame tape, FigureOptions? options = null)
    {
        options ??= FigureOptions.Default;
        var title = options.Title ?? "Tape";
        var rows = TapeRow.Of(tape);
        var drawn = rows.Count <= MostRows ? rows : [.. rows.Take(MostRows / 2), .. rows.TakeLast(MostRows / 2)];
        var (wide, narrow, payload, places) = TapeDrawing.Of(tape, title, drawn, rows.Count, options);
        return Figure.From(wide, narrow, title, Summary(tape, title), payload, [Table(tape)], rows.Count == 0 ? null : Places(tape, places));
    }

    /// <summary>What the script selects rows by: every node's inputs, then where each drawing has its rows.</summary>
    private static string Places(TapeFrame tape, IReadOnlyList<IReadOnlyList<double>> places) =>
        JsonSerializer.Serialize<object[]>([tape.Nodes.Select(n => n.Inputs), .. places]);

    private static string Summary(TapeFrame tape, string title)
    {
        if (tape.Nodes.IsEmpty) return $"{title}: nothing was recorded yet.";

        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{title}: {tape.Nodes.Length} entries, {tape.Nodes.Count(n => n.Kind == NodeKind.Operation)} of them operations.");
        text.Append(tape.Loss is { } loss ? $" Backward ran from {tape.Nodes[loss].Label}." : " Backward has not run, so there are no gradients yet.");
        if (tape.Nodes.Count(n => n.IsFrozen) is > 0 and var frozen) text.Append(CultureInfo.InvariantCulture, $" {frozen} parameters are frozen.");
        var shown = tape.Nodes.Where(n => n.Kind == NodeKind.Operation || n.Kind == NodeKind.Variable).ToList();
        foreach (var node in shown.Count <= 40 ? shown : [.. shown.Take(20), .. shown.TakeLast(20)])
        {
            text.Append($"\n  {node.Label}{(node.Formula.Length > 0 ? " = " + node.Formula : "")}: {Size(node.Value, node.ValueNorm)}");
            if (node.GradNorm is { } norm) text.Append($", gradient {Size(node.Grad, norm)}");
        }

        if (shown.Count > 40) text.Append(CultureInfo.InvariantCulture, $"\n  ({shown.Count - 40} rows in the middle are left out here)");
        return text.ToString();
    }

    private static string Size(Tensor? tensor, double norm) => tensor is { Length: 1 } scalar ? Numbers.Short(scalar.Values[0]) : "‖·‖ " + Numbers.Short(norm);

    private static DataTable Table(TapeFrame tape) => new(
        "Every entry of the tape; a scalar's number, a tensor's norm", 5, ["#", "name", "kind", "formula", "shape", "value", "gradient"],
        [.. tape.Nodes.Select(n => (string[])
        [
            n.Index.ToString(CultureInfo.InvariantCulture), n.Label, n.Kind == NodeKind.Operation ? n.Operation : n.Kind.ToString().ToLowerInvariant(),
            n.Formula, n.Shape.ToString(),
            n.Value is { Length: 1 } value ? Numbers.Exact(value.Values[0]) : Numbers.Exact(n.ValueNorm),
            n.IsFrozen ? "frozen" : n.Grad is { Length: 1 } grad ? Numbers.Exact(grad.Values[0]) : Numbers.Exact(n.GradNorm),
        ])]);
}
