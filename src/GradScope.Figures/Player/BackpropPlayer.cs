using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>
/// One training step, played operation by operation: forward fills in values up to the loss, then backward fills in gradients
/// from there, each by a rule that is named and numbers that are shown. Without a script it is the whole step as a strip of
/// norms, with one backward step opened.
/// </summary>
public static class BackpropPlayer
{
    /// <summary>Draws a frame of a model.</summary>
    public static Figure Draw(Frame frame, FigureOptions? options = null) => Draw(frame.Tape, frame, string.Create(
        CultureInfo.InvariantCulture, $"step {frame.Step} · {frame.Tokens.Length} positions: {string.Join(' ', frame.Tokens.Take(24).Select(TokenText.Show))}{(frame.Tokens.Length > 24 ? " …" : "")} · loss {Numbers.Short(frame.Loss)}"), options);

    /// <summary>Draws any tape; where backward has not run it says so and plays values alone.</summary>
    public static Figure Draw(TapeFrame tape, FigureOptions? options = null) => Draw(
        tape, null, string.Create(CultureInfo.InvariantCulture, $"{tape.Nodes.Count(n => n.Kind == NodeKind.Operation)} operations"), options);

    private static Figure Draw(TapeFrame tape, Frame? frame, string subtitle, FigureOptions? options)
    {
        options ??= FigureOptions.Default;
        var title = options.Title ?? "Backprop, step by step";
        var played = new PlayedTape(tape);
        var scales = NormScales.Of(played);
        if (!tape.BackwardHasRun) subtitle += " · backward has not run";
        var drawing = new PlayerDrawing(played, scales, title, subtitle, options);
        var (width, height) = drawing.Draw();
        var payload = played.Operations.Count == 0 ? null : PlayerPayload.Of(played, frame, scales, title, subtitle, string.Join(' ', drawing.Notes));
        return Figure.From(drawing.Sheet, width, height, title, Summary(played, title, subtitle), payload, [.. Tables(played)]);
    }

    private static string Summary(PlayedTape played, string title, string subtitle)
    {
        var text = new StringBuilder($"{title}: {subtitle}.");
        if (played.Operations.Count == 0) return text.Append(" Nothing was recorded yet.").ToString();

        text.Append(CultureInfo.InvariantCulture, $" Forward computes {played.Operations.Count} values");
        if (played.Tape.Loss is { } loss)
        {
            text.Append(CultureInfo.InvariantCulture, $", the last of them {played.Tape.Nodes[loss].Label}; backward takes {played.Backward.Count} steps from there.");
        }
        else text.Append("; backward has not run, so there are no gradients yet.");

        text.Append("\nForward:");
        foreach (var part in played.Parts) text.Append($"\n  {part.Name}: {part.Output.Label} {Size(part.Output, part.Output.Value, part.Output.ValueNorm)}");
        if (played.Backward.Count == 0) return text.ToString();

        text.Append("\nBackward:");
        foreach (var part in played.Parts.Reverse().Where(p => p.Output.GradNorm is not null))
        {
            text.Append($"\n  {part.Name}: ∂L/∂{part.Output.Label} {Size(part.Output, part.Output.Grad, part.Output.GradNorm!.Value)}");
        }

        if (played.Example is { } step)
        {
            text.Append($"\nOne step of it: {step.Operation.Node.Label} = {step.Operation.Node.Formula} hands G = ∂L/∂{step.Operation.Node.Label}, {Size(step.Operation.Node, step.Operation.Node.Grad, step.Operation.Node.GradNorm ?? 0)}, on:");
            foreach (var addition in step.Additions)
            {
                text.Append($"\n  ∂L/∂{addition.Input.Label} += {addition.Rule}");
                if (addition.What is not { } what) continue;
                text.Append($": ‖·‖ {Numbers.Short(what.Norm)}");
                if (addition.Of > 1) text.Append(CultureInfo.InvariantCulture, $", part {addition.Part} of {addition.Of}, so far {Numbers.Short(what.SumNorm)}");
            }
        }

        return text.ToString();
    }

    private static string Size(NodeFrame node, Tensor? tensor, double norm) => node.Shape.ElementCount == 1 && tensor is not null ? Numbers.Short(tensor.Values[0]) : "‖·‖ " + Numbers.Short(norm);

    private static IEnumerable<DataTable> Tables(PlayedTape played)
    {
        if (played.Operations.Count == 0) yield break;

        yield return new("Forward: every operation; a scalar's number, a tensor's norm", 4, ["#", "name", "formula", "shape", "value", "gradient"],
            [.. played.Operations.Select(o => (string[])
            [
                Index(o.Node), o.Node.Label, o.Node.Formula, o.Node.Shape.ToString(),
                Exact(o.Node.Value, o.Node.ValueNorm), Exact(o.Node.Grad, o.Node.GradNorm),
            ])]);
        if (played.Backward.Count == 0) yield break;

        yield return new("Backward: what each step adds to which gradient", 4, ["of", "adds to", "rule", "part", "adds", "so far"],
            [.. played.Backward.SelectMany(s => s.Additions.Select(a => (string[])
            [
                s.Operation.Node.Label, a.Input.Label, a.Rule, string.Create(CultureInfo.InvariantCulture, $"{a.Part} of {a.Of}"),
                Exact(a.What?.Added, a.What?.Norm), Exact(a.What?.Sum, a.What?.SumNorm),
            ]))]);
    }

    private static string Index(NodeFrame node) => node.Index.ToString(CultureInfo.InvariantCulture);

    private static string Exact(Tensor? tensor, double? norm) => tensor is { Length: 1 } ? Numbers.Exact(tensor.Values[0]) : Numbers.Exact(norm);
}
