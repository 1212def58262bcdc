using System.Globalization;

namespace GradScope.Figures;

/// <summary>
/// Lays the run player out at its last step, in two columns or, where it is narrow, in one. What follows the cursor stands in groups
/// with data-run: a script moves, refills or recolours what they hold and adds nothing of its own but the controls.
/// </summary>
internal sealed class RunDrawing
{
    private const double Wide = 720, RowHeight = 18, ReadingWidth = 138, BarWidth = 96, MapGap = 14;
    private const double LongestStation = 142, ParameterHeight = 112, LargestCell = 14;
    private const int MostPositions = 16, MostLabels = 16;

    // A gradient that is zero but for rounding would flatten all others.
    private const double SmallestNorm = 1e-3;

    private readonly PlayedRun played;
    private readonly Run run;
    private readonly string title;
    private readonly double width;
    private readonly Axis steps;
    private readonly LogScale flow;
    private readonly CurvePanels panels;

    private RunDrawing(PlayedRun played, string title, FigureOptions options, double width)
    {
        (this.played, run, this.title, this.width) = (played, played.Run, title, width);
        Sheet = width == Wide ? new(options.Theme) : Sheet.ForNarrow(options.Theme);
        IsWide = width == Wide;
        panels = new(
            Sheet, Sheet.Margin, IsWide ? width - Sheet.Margin - ReadingWidth - MapGap : width - Sheet.Margin / 2, run.Metrics.Length, namesStandAbove: !IsWide,
            new CurvePanel("loss, nats", 150, Numbers.Short, new Curve("train", Tone.Loss, [.. run.Metrics.Select(m => (m.Step, m.Loss))]))
            {
                Held = new("validation", Tone.Ink, [.. run.Metrics.Where(m => m.ValidationLoss is not null).Select(m => (m.Step, m.ValidationLoss!.Value))]),
                Baselines = run.Baselines,
            });
        steps = Axis.Linear(Math.Min(run.Metrics[0].Step, FirstStep), run.Metrics[^1].Step, panels.Left, panels.Right, IsWide ? 5 : 3);
        IReadOnlyList<double> positive = [.. played.Norms.SelectMany(step => step).Where(n => n > 0 && float.IsFinite(n)).Select(n => (double)n).DefaultIfEmpty(1)];
        Norms = Axis.Logarithmic(Math.Max(positive.Min(), positive.Max() * SmallestNorm), positive.Max(), 84, 0);
        flow = LogScale.Of([.. played.Frames.SelectMany(f => f.Flow.Stations).Select(s => s.GradNorm)]);
    }

    public Sheet Sheet { get; }

    /// <summary>The scale of one parameter's norms, in pixels below its panel's top.</summary>
    public Axis Norms { get; }

    /// <summary>Where step 0 stands, and how far one step goes.</summary>
    public (double Start, double Pitch) Steps => (steps.At(0), steps.At(1) - steps.At(0));

    /// <summary>The side of an attention map.</summary>
    public double MapSize => IsWide ? 150 : 140;

    /// <summary>The length of a bar on the whole scale of the flow.</summary>
    public double FlowBar => IsWide ? 220 : 104;

    /// <summary>How wide a parameter's map may be.</summary>
    public double ParameterRoom => IsWide ? (width - 2 * Sheet.Margin - MapGap) / 2 : width - 2 * Sheet.Margin;

    private bool IsWide { get; }

    private PlayedFrame? LastFrame => played.Frames.Count == 0 ? null : played.Frames[^1];

    private int FirstStep => Math.Min(played.Frames.Count > 0 ? played.Frames[0].Step : int.MaxValue, run.Metrics[0].Step - 1);

    /// <summary>The drawing for most places, and the one for narrow ones.</summary>
    public static ((RunDrawing, Drawing) Wide, (RunDrawing, Drawing) Narrow) Of(PlayedRun played, string title, FigureOptions options)
    {
        var (wide, narrow) = (new RunDrawing(played, title, options, Wide), new RunDrawing(played, title, options, Sheet.Narrow));
        return ((wide, wide.Draw()), (narrow, narrow.Draw()));
    }

    /// <summary>The positions whose predictions are shown.</summary>
    public static IEnumerable<int> Positions(PlayedRun played) => Enumerable.Range(0, Math.Min(MostPositions, played.Tokens.Length));

    public static double ChanceWidth(Prediction position) => ChanceOf(position) is { } p && double.IsFinite(p) ? BarWidth * p : 0;

    public static string ChanceText(Prediction position) => ChanceOf(position) is { } p ? Numbers.Percent(p) : "";

    public static string MarkOf(Prediction position) => position.IsRight switch { true => "✓", false => "✗", _ => "" };

    public static string NormOf(Station station) => station.GradNorm is { } norm ? Numbers.Short(norm) : "–";

    public static string ShareOf(Branch branch) => branch.BranchShare is { } share ? Numbers.Percent(share) : "–";

    public static string Likeliest(PlayedFrame frame, Prediction position) =>
        $"{TokenText.Show(frame.Predictions.Vocabulary[position.Best])} {Numbers.Percent(position.Probabilities.Values[position.Best])}";

    public static string Picture(PlayedFrame frame) => string.Create(CultureInfo.InvariantCulture, $"at step {frame.Step} · loss of this input {Numbers.Short(frame.Loss)} nats");

    /// <summary>How much of the flow's scale a bar takes, 0 to 1.</summary>
    public double FlowShare(Station station) => station.GradNorm is { } norm && norm > 0 && double.IsFinite(norm) ? 0.015 + flow.At(norm) * 0.985 : 0;

    private static double? ChanceOf(Prediction position) => position.TargetId is { } id ? position.Probabilities.Values[id] : null;

    private Drawing Draw()
    {
        var config = run.Model.Config;
        Sheet.Header(
            width, title,
            string.Create(CultureInfo.InvariantCulture, $"{Numbers.Count(run.Metrics.Length)} steps · {run.Optimizer} · batch size {run.BatchSize} · {config.LayerCount} layers × {config.HeadCount} heads, width {config.ModelDim}"));
        var top = Sheet.Top + 6;
        var y = panels.Draw(steps, top);
        var bottom = Parameter(y);
        panels.Steps(steps, bottom + 4);
        Slot("cursor", () => Sheet.Line(0, top + 18, 0, bottom, Tone.Ink, 1.5), steps.At(run.Metrics[^1].Step));

        var readings = IsWide ? bottom + 20 : bottom + 28 + 5 * RowHeight;
        Readings(IsWide ? top + 24 : bottom + 28, y);
        y = readings + 28;
        if (LastFrame is { } frame)
        {
            Slot("picture", () => Sheet.Text(Sheet.Margin, y, Picture(frame), IsWide ? Face.Heading : Face.Text));
            y = IsWide ? Math.Max(Attention(frame, y + 14), Predictions(frame, 420, y + 14)) : Predictions(frame, Sheet.Margin, Attention(frame, y + 14) + 8);
            y = Flow(frame, Cells(y + 12));
        }

        return new(Sheet, width, Notes(y + 10) + Sheet.Margin - 4);
    }

    /// <summary>A group that a script finds by its name.</summary>
    private void Slot(string name, Action draw, double x = 0, double y = 0)
    {
        using (Sheet.Body.Open("g", ("data-run", name), ("transform", (x, y) == (0, 0) ? null : Sheet.PathOf($"translate({x} {y})")))) draw();
    }

    private void Hit(string slot, double x, double y, double mapWidth, double mapHeight) =>
        Sheet.Body.Empty("rect", ("x", x), ("y", y), ("width", mapWidth), ("height", mapHeight), ("class", "hit"), ("data-run", "hit"), ("data-of", slot));

    /// <summary>The step's numbers: beside the curves, or in two columns below them.</summary>
    private void Readings(double top, double parameterTop)
    {
        var last = run.Metrics[^1];
        var chosen = run.ParameterNames[played.Parameter];
        (string Slot, string Name, double? Value, Tone Tone)[] rows =
        [
            ("metric", "step", last.Step, Tone.Ink), ("metric", "loss", last.Loss, Tone.Loss), ("metric", "validation", last.ValidationLoss, Tone.Ink), ("metric", "accuracy", last.Accuracy, Tone.Value),
            ("metric", "‖gradient‖", last.GradientNorm, Tone.Gradient), ("metric", "update ratio", last.UpdateRatio, Tone.Parameter), ("metric", "learning rate", last.LearningRate, Tone.Muted),
            ("gradient", "its ‖gradient‖", played.Norms[^1][played.Parameter], Tone.Gradient),
            ("weights", "its ‖weights‖", LastFrame?.Frame.Model.Parameters.FirstOrDefault(p => p.Name == chosen)?.ValueNorm, Tone.Parameter),
        ];
        var right = width - Sheet.Margin;
        for (var i = 0; i < rows.Length; i++)
        {
            var (slot, name, value, tone) = rows[i];
            var text = value is not { } number ? "–" : name switch { "step" => Numbers.Count((int)number), "accuracy" => Numbers.Percent(number), _ => Numbers.Short(number) };
            var (edge, y) = !IsWide ? (right - (1 - i / 5) * (ReadingWidth + 44), top + 12 + i % 5 * RowHeight)
                : slot == "metric" ? (right, top + 12 + i * RowHeight)
                : (right, parameterTop + 36 + (i - 7) * RowHeight);
            Sheet.Text(edge - ReadingWidth, y, name, Face.Note);
            Slot(slot, () => Sheet.Text(edge, y, text, Face.Number.In(tone), Anchor.End));
        }
    }

    /// <summary>One parameter's gradient norm over the steps; all parameters share the scale.</summary>
    private double Parameter(double y)
    {
        var chosen = played.Parameter;
        Slot("name", () => Sheet.Text(Sheet.Margin, y + 12, $"‖gradient‖ of {GradientFlowFigure.WithoutWeight(run.ParameterNames[chosen])} (log)", Face.Text, fit: panels.Right - Sheet.Margin));
        panels.Values(Norms, y + 24);
        Curve curve = new("", Tone.Parameter, [.. played.Norms.Select((step, i) => (played.Metrics[i].Step, step[chosen] > 0 ? Math.Max(step[chosen], Norms.Least) : step[chosen]))]);
        Slot("curve", () => Sheet.Body.Empty("path", ("d", curve.Path(steps, Norms, (int)(panels.Right - panels.Left))), ("class", Tone.Parameter.Stroke()), ("stroke-width", 1.5)), 0, y + 24);
        return y + 24 + 84;
    }

    private double Attention(PlayedFrame frame, double y)
    {
        if (frame.Attention.Layers.IsEmpty) return y;

        var layer = frame.Attention.Layers[played.Layer];
        var hasLabels = frame.Tokens.Length <= MostLabels;
        var label = hasLabels ? Math.Clamp(frame.Tokens.Max(t => Sheet.WidthOf(TokenText.Show(t), Face.Number)), 8, 44) + 6 : 0;
        var fits = 2 * (label + MapSize) + MapGap <= width - 2 * Sheet.Margin;
        var first = Sheet.Margin + label;
        var second = fits ? first + MapSize + MapGap + label : first;
        var maps = y + (hasLabels ? 38 : 24);
        var below = fits ? maps : maps + MapSize + 40;
        Slot("which", () => Sheet.Text(Sheet.Margin, y + 13, string.Create(CultureInfo.InvariantCulture, $"layer {layer.Layer} head {played.Head}"), Face.Text));
        Sheet.Text(first + MapSize, y + 13, "A", Face.Note.In(Tone.Value), Anchor.End);
        One("A", layer.Pattern, Ramp.Share, first, maps);
        var scale = below - (maps - y) + 13;
        if (layer.PatternGrad is { } gradient)
        {
            var largest = played.CellsOf(frame, gradient, played.Head).Largest;
            Slot("scale", () => Sheet.Text(second + MapSize, scale, $"∂L/∂A  ±{Numbers.Short(largest)}", Face.Note.In(Tone.Gradient), Anchor.End));
            One("G", gradient, Ramp.Signed(largest), second, below);
        }
        else Sheet.Text(second, scale, "backward has not run", Face.Note);

        return below + MapSize;

        void One(string slot, Tensor map, Ramp ramp, double x, double top)
        {
            Slot(slot, () => Heatmap.Draw(Sheet, played.CellsOf(frame, map, played.Head), ramp, 0, 0, MapSize, MapSize), x, top);
            Sheet.Rect(x - 0.5, top - 0.5, MapSize + 1, MapSize + 1, Tone.Rule.Stroke());
            Hit(slot, x, top, MapSize, MapSize);
            for (var i = 0; hasLabels && i < frame.Tokens.Length; i++)
            {
                var (token, centre) = (TokenText.Show(frame.Tokens[i]), (i + 0.5) * MapSize / frame.Tokens.Length);
                Sheet.Text(x - 5, top + centre + 4, token, Face.Number, Anchor.End, fit: label - 5);
                Sheet.Text(x + centre, top - 6, token, Face.Number, Anchor.Middle, fit: MapSize / frame.Tokens.Length);
            }
        }
    }

    private double Predictions(PlayedFrame frame, double x, double y)
    {
        double target = x + 50, mark = target + 50, bar = mark + 18, best = bar + BarWidth + 14;
        foreach (var (left, head, anchor) in ((double, string, Anchor)[])[(x, "token", Anchor.Start), (target, "next", Anchor.Start), (bar, "P(next)", Anchor.Start), (best, "likeliest", Anchor.Start)])
        {
            Sheet.Text(left, y + 13, head, Face.Note, anchor);
        }

        y += 20;
        foreach (var i in Positions(played))
        {
            var position = frame.Predictions.Positions[i];
            var middle = y + 12;
            Sheet.Line(x, y, width - Sheet.Margin, y, Tone.Rule);
            Sheet.Text(x, middle, TokenText.Show(position.Token), Face.Number, fit: 46);
            Sheet.Text(target, middle, position.Target is { } next ? TokenText.Show(next) : "–", Face.Number with { Bold = true }, fit: 46);
            Slot("mark", () => Sheet.Text(mark, middle, MarkOf(position), Face.Number.In(position.IsRight == true ? Tone.Value : Tone.Loss)));
            Slot("bar", () => Sheet.Rect(bar, y + 2, ChanceWidth(position), RowHeight - 4, Tone.Value.Fill() + " o8", radius: 2));
            Slot("chance", () => Sheet.Text(bar + 5, middle, ChanceText(position), Face.Number));
            Slot("best", () => Sheet.Text(best, middle, Likeliest(frame, position), Face.Number, fit: width - Sheet.Margin - best));
            y += RowHeight;
        }

        return y;
    }

    /// <summary>The chosen parameter's numbers and their gradients in the latest picture that has them.</summary>
    private double Cells(double y)
    {
        if (played.Weights is not { } weights) return y;

        var frame = weights.Frames[^1];
        var chosen = weights.Of(frame, played.Parameter);
        Slot("weightsname", () => Sheet.Text(Sheet.Margin, y + 12, weights.TitleOf(frame, played.Parameter), Face.Heading, fit: width - 2 * Sheet.Margin));
        y += 20;
        y = One("V", "Vscale", chosen.Value, Tone.Value, "value", Sheet.Margin, y);
        if (chosen.Grad is not { } gradient) return y;

        return IsWide
            ? One("D", "Dscale", gradient, Tone.Gradient, "gradient", Sheet.Margin + ParameterRoom + MapGap, y - ParameterHeight - 30)
            : One("D", "Dscale", gradient, Tone.Gradient, "gradient", Sheet.Margin, y);

        double One(string slot, string scale, Cells cells, Tone tone, string name, double x, double top)
        {
            var size = CellSize(cells.Rows, cells.Columns);
            var (w, h) = (size * cells.Columns, size * cells.Rows);
            Slot(scale, () => Sheet.Text(x, top + 12, $"{name} ±{Numbers.Short(cells.Largest)}", Face.Note.In(tone)));
            Slot(slot, () => Heatmap.Draw(Sheet, cells, Ramp.Signed(cells.Largest), 0, 0, w, h), x, top + 18);
            Slot("frame", () => Sheet.Rect(x - 0.5, top + 17.5, w + 1, h + 1, Tone.Rule.Stroke()));
            Hit(slot, x, top + 18, w, h);
            return top + 18 + ParameterHeight + 12;
        }
    }

    /// <summary>How large a parameter's cells are; the script has the same rule.</summary>
    private double CellSize(int rows, int columns) => Math.Min(LargestCell, Math.Min(ParameterRoom / columns, ParameterHeight / rows));

    /// <summary>‖∂L/∂x‖ at each place of the residual stream, the loss at the top; between places the branch's part.</summary>
    private double Flow(PlayedFrame frame, double y)
    {
        string[] names = [.. frame.Flow.Stations.Select(s => IsWide ? s.Name : s.Name.Replace("blocks.", "", StringComparison.Ordinal))];
        var bar = Sheet.Margin + Math.Min(LongestStation, Math.Ceiling(names.Max(n => Sheet.WidthOf(n, Face.Number)))) + 8;
        double number = bar + FlowBar + 62, branchName = number + 30, share = IsWide ? number + 190 : width - Sheet.Margin;
        Sheet.Text(Sheet.Margin, y + 12, $"gradient along the residual stream{(IsWide ? ", from the loss back" : "")}", Face.Heading);
        var scale = $"‖∂L/∂x‖, log scale from {Numbers.PowerOfTen(flow.Low)} to {Numbers.PowerOfTen(flow.High)}";
        Sheet.Text(IsWide ? bar : Sheet.Margin, y + 30, scale, Face.Note.In(Tone.Gradient));
        Sheet.Text(share, y + 30, IsWide ? "part of ∂L/∂x through the branch above" : "part by branch", Face.Note, Anchor.End);
        y += 36;
        for (var i = frame.Flow.Stations.Length - 1; i >= 0; i--)
        {
            var (station, middle) = (frame.Flow.Stations[i], y + 12);
            Sheet.Text(Sheet.Margin, middle, names[i], Face.Number, fit: bar - Sheet.Margin - 6, title: names[i] == station.Name ? null : station.Name);
            Slot("flow", () => Sheet.Rect(bar, y + 3, FlowShare(station) * FlowBar, RowHeight - 6, $"{Tone.Gradient.Fill()} {Ribbons.Class}", radius: 1.5));
            Slot("norm", () => Sheet.Text(number, middle, NormOf(station), Face.Number.In(Tone.Gradient), Anchor.End));
            if (i < frame.Flow.Branches.Length)
            {
                var branch = frame.Flow.Branches[i];
                if (IsWide) Sheet.Text(branchName, middle, branch.IsAttention ? "attention" : "mlp", Face.Note);
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
            if (played.MapSide < played.Tokens.Length) notes.Add(played.CellsOf(LastFrame, LastFrame.Attention.Layers[0].Pattern, 0).ThinningNote(played.Tokens.Length, played.Tokens.Length) + ".");
            if (played.Tokens.Length > MostPositions) notes.Add($"The first {MostPositions} of {Numbers.Count(played.Tokens.Length)} positions have their prediction shown.");
            notes.Add(played.Weights?.Note ?? "The pictures hold the parameters' norms without their numbers, as of a model with many.");
        }

        notes.Add($"The parameters share one scale; a norm below {Numbers.PowerOfTen((int)Math.Floor(Math.Log10(Norms.Least) + 1e-9))} lies on its lower edge.");
        if (played.StopEvery > 1) notes.Add($"Of {Numbers.Count(run.Metrics.Length)} steps the cursor stops at every {Numbers.Ordinal(played.StopEvery)}, and the last.");
        return Sheet.Notes(Sheet.Margin, y, width - 2 * Sheet.Margin, [.. notes]);
    }
}
