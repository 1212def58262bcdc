using System.Globalization;
using System.Text.Json.Nodes;

namespace GradScope.Figures;

/// <summary>
/// Lays the run player out at its last step. What follows the cursor stands in groups with data-run: a script moves, refills or
/// recolours what they hold and adds nothing of its own but the controls.
/// </summary>
internal sealed class RunDrawing
{
    private const double Width = 720, Left = Sheet.Margin + 52, Right = 452, Readings = 566, RowHeight = 18;
    private const double Map = 150, BarWidth = 96, FlowBar = 220, FlowLabel = 148;
    private const int MostPositions = 16, MostLabels = 16;

    // A gradient that is zero but for rounding would flatten all others.
    private const double SmallestNorm = 1e-3;

    private readonly PlayedRun played;
    private readonly Run run;
    private readonly string title;
    private readonly FigureOptions options;
    private readonly Axis steps;
    private readonly LogScale flow;
    private readonly IReadOnlyList<double> positive;
    private Axis norms = Axis.Logarithmic(1, 10, 1, 0);
    private double bottom;

    public RunDrawing(PlayedRun played, string title, FigureOptions options)
    {
        (this.played, run, this.title, this.options) = (played, played.Run, title, options);
        Sheet = new(options.Theme);
        steps = Axis.Linear(Math.Min(run.Metrics[0].Step, FirstStep), run.Metrics[^1].Step, Left, Right, 5);
        positive = [.. played.Norms.SelectMany(step => step).Where(n => n > 0 && float.IsFinite(n)).Select(n => (double)n).DefaultIfEmpty(1)];
        flow = LogScale.Of([.. played.Frames.SelectMany(f => f.Flow.Stations).Select(s => s.GradNorm)]);
    }

    public Sheet Sheet { get; }

    private PlayedFrame? LastFrame => played.Frames.Count == 0 ? null : played.Frames[^1];

    private int FirstStep => Math.Min(played.Frames.Count > 0 ? played.Frames[0].Step : int.MaxValue, run.Metrics[0].Step - 1);

    private IEnumerable<int> Positions => Enumerable.Range(0, Math.Min(MostPositions, played.Tokens.Length));

    public (double Width, double Height) Draw()
    {
        var config = run.Model.Config;
        Sheet.Header(
            Width, title,
            string.Create(CultureInfo.InvariantCulture, $"{Numbers.Count(run.Metrics.Length)} steps · {run.Optimizer} · batch size {run.BatchSize} · {config.LayerCount} layers × {config.HeadCount} heads, width {config.ModelDim}"));
        var top = Sheet.Top + 6;
        var panels = new CurvePanels(Sheet, Left, Right, CurvePanels.WindowOf(run.Metrics.Length));
        var y = panels.Draw(
            "loss, nats", 150, steps, top, Numbers.Short, isLog: false, [new("train", Tone.Loss, [.. run.Metrics.Select(m => (m.Step, m.Loss))])],
            new("validation", Tone.Ink, [.. run.Metrics.Where(m => m.ValidationLoss is not null).Select(m => (m.Step, m.ValidationLoss!.Value))]), run.Baselines);
        Metrics(top + 24);
        bottom = y + 24 + 84;
        norms = Axis.Logarithmic(Math.Max(positive.Min(), positive.Max() * SmallestNorm), positive.Max(), bottom, y + 24);
        Parameter(y);
        panels.Steps(steps, bottom + 4);
        Slot("cursor", () => Sheet.Line(0, top + 18, 0, bottom, Tone.Ink, 1.5), steps.At(run.Metrics[^1].Step));

        y = bottom + 48;
        if (LastFrame is { } frame)
        {
            Slot("picture", () => Sheet.Text(Sheet.Margin, y, Picture(frame), Face.Heading));
            var below = Math.Max(Attention(frame, y + 14), Predictions(frame, y + 14));
            y = Flow(frame, below + 12);
        }

        return (Width, Notes(y + 10) + Sheet.Margin - 4);
    }

    /// <summary>The numbers behind the picture, for each stop of the cursor and each picture of the model.</summary>
    public Payload Payload()
    {
        var payload = new Payload("run");
        var head = payload.Head;
        int[] at = [.. played.Metrics.Select(m => m.Step)];
        head["stops"] = Whole(at);
        head["total"] = run.Metrics.Length;
        head["metrics"] = new JsonArray(
            Add(played.Metrics.Select(m => (double?)m.Loss)), Add(played.Metrics.Select(m => m.ValidationLoss)), Add(played.Metrics.Select(m => (double?)m.Accuracy)),
            Add(played.Metrics.Select(m => (double?)m.GradientNorm)), Add(played.Metrics.Select(m => (double?)m.UpdateRatio)), Add(played.Metrics.Select(m => (double?)m.LearningRate)));
        head["x"] = new JsonArray(Math.Round(steps.At(0), 3), Math.Round(steps.At(1) - steps.At(0), 6));
        head["y"] = new JsonArray(norms.At(1), norms.At(10) - norms.At(1), bottom);
        head["parameters"] = payload.AddTexts([.. run.ParameterNames.Select(GradientFlowFigure.WithoutWeight)]);
        head["parameter"] = played.Parameter;
        head["norms"] = Add(Enumerable.Range(0, run.ParameterNames.Length).SelectMany(p => played.Norms.Select(step => (double?)step[p])));
        head["frames"] = Whole([.. played.Frames.Select(f => f.Step)]);
        head["layers"] = Whole([.. LastFrame?.Attention.Layers.Select(l => l.Layer) ?? []]);
        if (LastFrame is null) return payload;

        head["weights"] = Add(played.Frames.SelectMany(f => run.ParameterNames.Select(name => f.Frame.Model.Parameters.FirstOrDefault(p => p.Name == name)?.ValueNorm)));
        head["tokens"] = payload.AddTexts([.. played.Tokens.Select(TokenText.Show)]);
        (head["side"], head["block"], head["size"]) = (played.MapSide, (played.Tokens.Length + played.MapSide - 1) / played.MapSide, Map);
        (head["heads"], head["layer"], head["head"]) = (run.Model.Config.HeadCount, played.Layer, played.Head);
        head["A"] = Maps(l => l.Pattern);
        if (played.Frames.All(f => f.Attention.BackwardHasRun)) head["G"] = Maps(l => l.PatternGrad!);
        head["flow"] = Add(played.Frames.SelectMany(f => f.Flow.Stations.Reverse().Select(s => (double?)FlowWidth(s))));
        head["bar"] = Add(played.Frames.SelectMany(f => Positions.Select(i => (double?)ChanceWidth(f.Predictions.Positions[i]))));
        head["texts"] = new JsonObject
        {
            ["picture"] = Texts(f => [Picture(f)]),
            ["norm"] = Texts(f => f.Flow.Stations.Reverse().Select(NormOf)),
            ["share"] = Texts(f => f.Flow.Branches.Reverse().Select(ShareOf)),
            ["mark"] = Texts(f => Positions.Select(i => MarkOf(f.Predictions.Positions[i]))),
            ["chance"] = Texts(f => Positions.Select(i => ChanceText(f.Predictions.Positions[i]))),
            ["best"] = Texts(f => Positions.Select(i => Likeliest(f, f.Predictions.Positions[i]))),
        };
        return payload;

        static JsonArray Whole(int[] numbers) => new([.. numbers.Select(n => JsonValue.Create(n))]);

        JsonArray Texts(Func<PlayedFrame, IEnumerable<string>> texts) => new([.. played.Frames.Select(f => new JsonArray([.. texts(f).Select(t => JsonValue.Create(t))]))]);

        JsonArray Add(IEnumerable<double?> numbers)
        {
            double?[] all = [.. numbers];
            return payload.Add([.. all.Select(n => (float)(n ?? 0))], i => all[i] is null);
        }

        JsonArray Maps(Func<AttentionLayer, Tensor> map)
        {
            List<float> values = [];
            List<bool> masked = [];
            foreach (var cells in played.Frames.SelectMany(f => f.Attention.Layers.SelectMany(l => Enumerable.Range(0, l.HeadCount).Select(h => CellsOf(f, map(l), h)))))
            {
                for (var i = 0; i < cells.Rows * cells.Columns; i++)
                {
                    values.Add(cells.Values[i]);
                    masked.Add(cells.IsForbidden(i / cells.Columns, i % cells.Columns));
                }
            }

            return payload.Add([.. values], i => masked[i]);
        }
    }

    private static double? ChanceOf(Prediction position) => position.TargetId is { } id ? position.Probabilities.Values[id] : null;

    private static double ChanceWidth(Prediction position) => ChanceOf(position) is { } p && double.IsFinite(p) ? BarWidth * p : 0;

    private static string ChanceText(Prediction position) => ChanceOf(position) is { } p ? Numbers.Percent(p) : "";

    private static string MarkOf(Prediction position) => position.IsRight switch { true => "✓", false => "✗", _ => "" };

    private static string NormOf(Station station) => station.GradNorm is { } norm ? Numbers.Short(norm) : "–";

    private static string ShareOf(Branch branch) => branch.BranchShare is { } share ? Numbers.Percent(share) : "–";

    private double FlowWidth(Station station) => station.GradNorm is { } norm && norm > 0 && double.IsFinite(norm) ? 3 + flow.At(norm) * (FlowBar - 3) : 0;

    private Cells CellsOf(PlayedFrame frame, Tensor maps, int head) => Cells.OfAttention(maps, head, frame.Attention.Causal).Thin(played.MapSide, played.MapSide);

    private static string Picture(PlayedFrame frame) => string.Create(CultureInfo.InvariantCulture, $"the model at step {frame.Step} · loss of this input {Numbers.Short(frame.Loss)} nats");

    /// <summary>A group that a script finds by its name.</summary>
    private void Slot(string name, Action draw, double x = 0, double y = 0)
    {
        using (Sheet.Body.Open("g", ("data-run", name), ("transform", (x, y) == (0, 0) ? null : Sheet.PathOf($"translate({x} {y})")))) draw();
    }

    private void Reading(string slot, double y, string name, string value, Tone tone)
    {
        Sheet.Text(Readings, y, name, Face.Note);
        Slot(slot, () => Sheet.Text(Width - Sheet.Margin, y, value, Face.Number.In(tone), Anchor.End));
    }

    private void Metrics(double y)
    {
        var last = run.Metrics[^1];
        (string Name, double? Value, Tone Tone)[] rows =
        [
            ("step", last.Step, Tone.Ink), ("loss", last.Loss, Tone.Loss), ("validation", last.ValidationLoss, Tone.Ink), ("accuracy", last.Accuracy, Tone.Value),
            ("‖gradient‖", last.GradientNorm, Tone.Gradient), ("update ratio", last.UpdateRatio, Tone.Parameter), ("learning rate", last.LearningRate, Tone.Muted),
        ];
        for (var i = 0; i < rows.Length; i++)
        {
            Reading("metric", y + 12 + i * RowHeight, rows[i].Name, rows[i].Value is { } value ? rows[i].Name switch { "step" => Numbers.Count((int)value), "accuracy" => Numbers.Percent(value), _ => Numbers.Short(value) } : "–", rows[i].Tone);
        }
    }

    /// <summary>One parameter's gradient norm over the steps; all parameters share the scale.</summary>
    private void Parameter(double y)
    {
        var chosen = played.Parameter;
        var name = GradientFlowFigure.WithoutWeight(run.ParameterNames[chosen]);
        Slot("name", () => Sheet.Text(Sheet.Margin, y + 12, $"‖gradient‖ of {name} (log)", Face.Text, fit: Right - Sheet.Margin));
        foreach (var tick in norms.Ticks)
        {
            Sheet.Line(Left, norms.At(tick), Right, norms.At(tick), Tone.Rule);
            Sheet.Text(Left - 8, norms.At(tick) + 4, Numbers.PowerOfTen((int)Math.Round(Math.Log10(tick))), Face.Number.In(Tone.Muted), Anchor.End);
        }

        Curve curve = new("", Tone.Parameter, [.. played.Norms.Select((step, i) => (played.Metrics[i].Step, step[chosen] > 0 ? Math.Max(step[chosen], norms.Least) : step[chosen]))]);
        Slot("curve", () => Sheet.Body.Empty("path", ("d", curve.Path(steps, norms, (int)(Right - Left))), ("class", Tone.Parameter.Stroke()), ("stroke-width", 1.5)));
        Reading("gradient", y + 36, "‖gradient‖", Numbers.Short(played.Norms[^1][chosen]), Tone.Gradient);
        Reading("weights", y + 36 + RowHeight, "‖weights‖", LastFrame?.Frame.Model.Parameters.FirstOrDefault(p => p.Name == run.ParameterNames[chosen]) is { } parameter ? Numbers.Short(parameter.ValueNorm) : "–", Tone.Parameter);
    }

    private double Attention(PlayedFrame frame, double y)
    {
        if (frame.Attention.Layers.IsEmpty) return y;

        var layer = frame.Attention.Layers[played.Layer];
        var hasLabels = frame.Tokens.Length <= MostLabels;
        var label = hasLabels ? Math.Clamp(frame.Tokens.Max(t => Sheet.WidthOf(TokenText.Show(t), Face.Number)), 8, 44) + 6 : 0;
        var (first, second) = (Sheet.Margin + label, Sheet.Margin + 2 * label + Map + 14);
        var maps = y + (hasLabels ? 38 : 24);
        Slot("which", () => Sheet.Text(Sheet.Margin, y + 13, string.Create(CultureInfo.InvariantCulture, $"layer {layer.Layer} head {played.Head}"), Face.Text));
        Sheet.Text(first + Map, y + 13, "A", Face.Note.In(Tone.Value), Anchor.End);
        One("A", layer.Pattern, Ramp.Share, first);
        if (layer.PatternGrad is { } gradient)
        {
            var largest = CellsOf(frame, gradient, played.Head).Largest;
            Slot("scale", () => Sheet.Text(second + Map, y + 13, $"∂L/∂A  ±{Numbers.Short(largest)}", Face.Note.In(Tone.Gradient), Anchor.End));
            One("G", gradient, Ramp.Signed(largest), second);
        }
        else Sheet.Text(second, y + 13, "backward has not run", Face.Note);

        return maps + Map;

        void One(string slot, Tensor map, Ramp ramp, double x)
        {
            Slot(slot, () => Heatmap.Draw(Sheet, CellsOf(frame, map, played.Head), ramp, 0, 0, Map, Map), x, maps);
            Sheet.Rect(x - 0.5, maps - 0.5, Map + 1, Map + 1, Tone.Rule.Stroke());
            Sheet.Body.Empty("rect", ("x", x), ("y", maps), ("width", Map), ("height", Map), ("class", "hit"), ("data-run", "hit"));
            for (var i = 0; hasLabels && i < frame.Tokens.Length; i++)
            {
                var (token, centre) = (TokenText.Show(frame.Tokens[i]), (i + 0.5) * Map / frame.Tokens.Length);
                Sheet.Text(x - 5, maps + centre + 4, token, Face.Number, Anchor.End, fit: label - 5);
                Sheet.Text(x + centre, maps - 6, token, Face.Number, Anchor.Middle, fit: Map / frame.Tokens.Length);
            }
        }
    }

    private double Predictions(PlayedFrame frame, double y)
    {
        double x = 420, target = x + 50, mark = target + 50, bar = mark + 18, best = bar + BarWidth + 14;
        foreach (var (left, head, anchor) in ((double, string, Anchor)[])[(x, "token", Anchor.Start), (target, "next", Anchor.Start), (bar, "P(next)", Anchor.Start), (best, "likeliest", Anchor.Start)])
        {
            Sheet.Text(left, y + 13, head, Face.Note, anchor);
        }

        y += 20;
        foreach (var i in Positions)
        {
            var position = frame.Predictions.Positions[i];
            var middle = y + 12;
            Sheet.Line(x, y, Width - Sheet.Margin, y, Tone.Rule);
            Sheet.Text(x, middle, TokenText.Show(position.Token), Face.Number, fit: 46);
            Sheet.Text(target, middle, position.Target is { } next ? TokenText.Show(next) : "–", Face.Number with { Bold = true }, fit: 46);
            Slot("mark", () => Sheet.Text(mark, middle, MarkOf(position), Face.Number.In(position.IsRight == true ? Tone.Value : Tone.Loss)));
            Slot("bar", () => Sheet.Rect(bar, y + 2, ChanceWidth(position), RowHeight - 4, Tone.Value.Fill() + " o8", radius: 2));
            Slot("chance", () => Sheet.Text(bar + 5, middle, ChanceText(position), Face.Number));
            Slot("best", () => Sheet.Text(best, middle, Likeliest(frame, position), Face.Number, fit: Width - Sheet.Margin - best));
            y += RowHeight;
        }

        return y;
    }

    private static string Likeliest(PlayedFrame frame, Prediction position) =>
        $"{TokenText.Show(frame.Predictions.Vocabulary[position.Best])} {Numbers.Percent(position.Probabilities.Values[position.Best])}";

    /// <summary>‖∂L/∂x‖ at each place of the residual stream, the loss at the top; between places the branch's part.</summary>
    private double Flow(PlayedFrame frame, double y)
    {
        Sheet.Text(Sheet.Margin, y + 12, "gradient along the residual stream, from the loss back", Face.Heading);
        Sheet.Text(Sheet.Margin + FlowLabel, y + 30, $"‖∂L/∂x‖, log scale from {Numbers.PowerOfTen(flow.Low)} to {Numbers.PowerOfTen(flow.High)}", Face.Note.In(Tone.Gradient));
        double number = Sheet.Margin + FlowLabel + FlowBar + 64, share = number + 190;
        Sheet.Text(share, y + 30, "part of ∂L/∂x through the branch above", Face.Note, Anchor.End);
        y += 36;
        for (var i = frame.Flow.Stations.Length - 1; i >= 0; i--)
        {
            var (station, middle) = (frame.Flow.Stations[i], y + 12);
            Sheet.Text(Sheet.Margin, middle, station.Name, Face.Number, fit: FlowLabel - 6);
            Slot("flow", () => Sheet.Rect(Sheet.Margin + FlowLabel, y + 3, FlowWidth(station), RowHeight - 6, $"{Tone.Gradient.Fill()} {Ribbons.Class}", radius: 1.5));
            Slot("norm", () => Sheet.Text(number, middle, NormOf(station), Face.Number.In(Tone.Gradient), Anchor.End));
            if (i < frame.Flow.Branches.Length)
            {
                var branch = frame.Flow.Branches[i];
                Sheet.Text(number + 30, middle, branch.IsAttention ? "attention" : "mlp", Face.Note);
                Slot("share", () => Sheet.Text(share, middle, ShareOf(branch), Face.Number.In(Tone.Gradient), Anchor.End));
            }

            y += RowHeight;
        }

        return y;
    }

    private double Notes(double y)
    {
        List<string> notes = [];
        if (LastFrame is null)
        {
            notes.Add("No picture of the model was recorded: there is no attention, gradient flow or prediction to play. Trainer.FrameEvery says how often one is.");
        }
        else
        {
            notes.Add(string.Create(CultureInfo.InvariantCulture, $"Curves and numbers are of each step; attention, gradient flow and predictions are of the latest of {played.Frames.Count} recorded pictures, at step {played.Frames[0].Step} to {played.Frames[^1].Step}."));
            if (played.FrameEvery > 1) notes.Add($"Of {Numbers.Count(played.FrameCount)} pictures every {Numbers.Ordinal(played.FrameEvery)} is kept, and the last.");
            if (played.MapSide < played.Tokens.Length) notes.Add(CellsOf(LastFrame, LastFrame.Attention.Layers[0].Pattern, 0).ThinningNote(played.Tokens.Length, played.Tokens.Length) + ".");
            if (played.Tokens.Length > MostPositions) notes.Add($"The first {MostPositions} of {Numbers.Count(played.Tokens.Length)} positions have their prediction shown.");
        }

        notes.Add($"The parameters share one scale; a norm below {Numbers.PowerOfTen((int)Math.Floor(Math.Log10(norms.Least) + 1e-9))} lies on its lower edge.");
        if (played.StopEvery > 1) notes.Add($"Of {Numbers.Count(run.Metrics.Length)} steps the cursor stops at every {Numbers.Ordinal(played.StopEvery)}, and the last.");
        return Sheet.Notes(Sheet.Margin, y, Width - 2 * Sheet.Margin, [.. notes]);
    }
}
