using System.Globalization;

namespace GradScope.Figures;

/// <summary>What one panel shows over the steps.</summary>
/// <param name="Name">What is measured, and in which unit.</param>
/// <param name="Height">The panel's height in pixels.</param>
/// <param name="Format">How its numbers look.</param>
/// <param name="Curves">What was measured at each step.</param>
internal sealed record CurvePanel(string Name, double Height, Func<double, string> Format, params IReadOnlyList<Curve> Curves)
{
    public bool IsLog { get; init; }

    /// <summary>Measurements on held-out data, drawn as measured.</summary>
    public Curve? Held { get; init; }

    public IReadOnlyList<Baseline> Baselines { get; init; } = [];

    public bool IsSmoothed { get; init; } = true;
}

/// <summary>Panels of curves above each other over one axis of steps; noisy ones are smoothed over a window. Margins follow from the texts that stand in them.</summary>
internal sealed class CurvePanels
{
    /// <summary>What is free between panels.</summary>
    public const double Space = 30;

    private const double TickGap = 8, EndGap = 7, LeastLeft = 38, LeastName = 150;

    // What marks may need above and below their panel.
    private const double MarkRoom = 8;
    private const int FewestToSmooth = 40;

    private readonly Sheet sheet;
    private readonly double start;
    private readonly bool namesStandAbove;
    private readonly Queue<Measured> panels;

    /// <summary>Lays panels out between two edges.</summary>
    /// <param name="sheet">What is drawn on.</param>
    /// <param name="start">Where titles start, and the numbers on the axes.</param>
    /// <param name="edge">Where the numbers at the curves' ends stop.</param>
    /// <param name="steps">How many steps there are.</param>
    /// <param name="namesStandAbove">Whether curves have their names in the panel's title, as where there is little room, or at their ends.</param>
    /// <param name="panels">From the top.</param>
    public CurvePanels(Sheet sheet, double start, double edge, int steps, bool namesStandAbove, params IReadOnlyList<CurvePanel> panels)
    {
        (this.sheet, this.start, this.namesStandAbove, Window) = (sheet, start, namesStandAbove, WindowOf(steps));
        this.panels = new(panels.Select(Measure));
        Left = start + Math.Max(LeastLeft, TickGap + Math.Ceiling(Widest(p => p.Axis?.Labels.Select(l => l.Text) ?? [])));
        Right = edge - EndGap - Math.Ceiling(Widest(p => p.Ends.Select(e => e.Text)));
    }

    /// <summary>Where the steps begin.</summary>
    public double Left { get; }

    /// <summary>Where the steps end.</summary>
    public double Right { get; }

    /// <summary>In how many columns a curve with more steps is drawn.</summary>
    public int Columns => (int)(Right - Left);

    /// <summary>The same of bold curves, which are smooth.</summary>
    public int BoldColumns => Columns / 4;

    /// <summary>Over how many steps curves are smoothed; 1 for not at all.</summary>
    public int Window { get; }

    /// <summary>Whether a panel is still to be drawn.</summary>
    public bool Any => panels.Count > 0;

    /// <summary>How many numbers that are no numbers were met.</summary>
    public int NotFinite { get; private set; }

    /// <summary>Over how many steps curves of so many are smoothed.</summary>
    private static int WindowOf(int steps) => steps < FewestToSmooth ? 1 : Math.Max(2, steps / 25);

    /// <summary>The axis of values that a panel of this height has, from its own bottom up; null where there is nothing to draw.</summary>
    public static Axis? Scale(IReadOnlyList<double> values, bool isLog, double height, Func<double, string> format)
    {
        if (values.Count == 0) return null;
        if (isLog) return Axis.Logarithmic(values.Min(), values.Max(), height, 0);

        var (low, high) = (values.Min(), values.Max());
        // A curve that comes near zero, in its own range, is shown with zero.
        low = low >= 0 && low < 0.35 * high ? 0 : low - 0.04 * (high - low);
        return Axis.Linear(low, high + 0.04 * (high - low), height, 0, Math.Max(2, (int)(height / 28)), format);
    }

    /// <summary>The next panel, below y; answers the y of the one after it.</summary>
    public double Draw(Axis steps, double y)
    {
        var (panel, axis, curves, ends) = panels.Dequeue();
        Title(panel, y + 12);
        var (top, bottom) = (y + 24, y + 24 + panel.Height);
        if (axis is null)
        {
            sheet.Text(Left, top + 14, panel.IsLog ? "no positive, finite number to draw" : "no finite number to draw", Face.Note.In(Tone.Loss));
            return bottom + Space;
        }

        Values(axis, top);
        using (sheet.Group(0, top))
        {
            Curves(panel, curves, steps, axis);
            Baselines(panel.Baselines, axis);
            using (sheet.Body.Open("g", ("data-ends", "")))
            {
                var previous = double.NegativeInfinity;
                foreach (var (value, text, tone) in ends.OrderBy(e => axis.At(e.Value)))
                {
                    previous = Math.Max(axis.At(value), previous + 14);
                    sheet.Text(Right + EndGap, previous + 4, text, Face.Number.In(tone));
                }
            }
        }

        sheet.Body.Line();
        return bottom + Space;
    }

    /// <summary>What is drawn along the steps, from a top on. A script zooms it by its view box; until then nothing of it is cut off.</summary>
    public Markup.Scope Along(double top, double height) => sheet.Body.Open(
        "svg", ("data-along", ""), ("x", Left), ("y", top), ("width", Right - Left), ("height", height),
        ("viewBox", Sheet.PathOf($"{Left} {top} {Right - Left} {height}")), ("preserveAspectRatio", "none"), ("overflow", "visible"));

    /// <summary>An axis of values with its lines, below a top; other panels that go with these may have one.</summary>
    public void Values(Axis axis, double top)
    {
        foreach (var (value, text) in axis.Labels)
        {
            sheet.Line(Left, top + axis.At(value), Right, top + axis.At(value), Tone.Rule);
            sheet.Text(Left - TickGap, top + axis.At(value) + 4, text, Face.Number.In(Tone.Muted), Anchor.End);
        }
    }

    /// <summary>The steps' line, with its ticks in an element of their own, which a script fills anew.</summary>
    public void Steps(Axis steps, double y)
    {
        sheet.Line(Left, y - 4, Right, y - 4, Tone.Muted);
        using (sheet.Body.Open("svg", ("data-ticks", ""), ("x", Left), ("y", y - 4), ("width", Right - Left), ("height", 20), ("overflow", "visible")))
        {
            foreach (var tick in steps.Ticks.Where(t => t == Math.Round(t)))
            {
                var x = steps.At(tick) - Left;
                sheet.Line(x, 0, x, 4, Tone.Muted);
                sheet.Text(x, 16, Numbers.Count((int)tick), Face.Number.In(Tone.Muted), Anchor.Middle);
            }
        }

        sheet.Text(Left - TickGap, y + 12, "step", Face.Note, Anchor.End);
    }

    private Measured Measure(CurvePanel panel)
    {
        var held = panel.Held is { Points.Count: > 0 } some ? new[] { some } : [];
        var values = panel.Curves.Concat(held).SelectMany(c => c.Finite).Concat(panel.Baselines.Select(b => b.Loss)).Where(v => !panel.IsLog || v > 0).ToList();
        var axis = Scale(values, panel.IsLog, panel.Height, panel.Format);
        IReadOnlyList<Curve> curves = [.. panel.Curves.Select(c => panel.IsSmoothed && Window > 1 ? c.Smooth(Window) : c)];
        List<(double, string, Tone)> ends = [];
        foreach (var curve in curves.Concat(held))
        {
            var (step, last) = curve.Points.LastOrDefault(p => double.IsFinite(p.Value) && (!panel.IsLog || p.Value > 0));
            if (step > 0 && axis is not null) ends.Add((last, curve.Name.Length > 0 && !namesStandAbove ? $"{panel.Format(last)} {curve.Name}" : panel.Format(last), curve.Tone));
        }

        return new(panel, axis, curves, ends);
    }

    private double Widest(Func<Measured, IEnumerable<string>> texts) => panels.SelectMany(texts).Select(t => sheet.WidthOf(t, Face.Number)).DefaultIfEmpty(0).Max();

    private void Title(CurvePanel panel, double y)
    {
        var named = panel.Curves.Append(panel.Held).OfType<Curve>().Where(c => c.Name.Length > 0 && c.Points.Count > 0).ToList();
        if (namesStandAbove && named.Count > 1)
        {
            sheet.Spans(start, y, Right - start, [(panel.Name + "  ", Face.Text), .. named.Select(c => (" — " + c.Name, Face.Number.In(c.Tone)))]);
        }
        else sheet.Text(start, y, panel.Name, Face.Text);
    }

    /// <summary>Dashed lines with their names on the right half, where a falling curve leaves room, each above its line.</summary>
    private void Baselines(IReadOnlyList<Baseline> baselines, Axis axis)
    {
        var free = double.PositiveInfinity;
        foreach (var baseline in baselines.Where(b => double.IsFinite(b.Loss)).OrderByDescending(b => axis.At(b.Loss)))
        {
            var y = axis.At(baseline.Loss);
            sheet.Line(Left, y, Right, y, Tone.Muted, 1.2, baseline.IsFloor ? "2 3" : "6 4");
            var text = $"{baseline.Name} {baseline.Loss.ToString("0.000", CultureInfo.InvariantCulture)}{(baseline.IsFloor ? " (floor)" : "")}";
            var place = Math.Min(y - 4, free - 14);
            sheet.Text(Right - 4, place, text, Face.Note, Anchor.End, fit: Math.Min(Right - Left, Math.Max(LeastName, (Right - Left) / 2)), halo: true);
            free = place;
        }
    }

    /// <summary>The lines with their marks; bold ones are smoothed.</summary>
    private void Curves(CurvePanel panel, IReadOnlyList<Curve> curves, Axis steps, Axis axis)
    {
        using var along = Along(-MarkRoom, panel.Height + 2 * MarkRoom);
        for (var i = 0; i < curves.Count; i++)
        {
            if (curves[i] != panel.Curves[i]) Line(panel.Curves[i].Path(steps, axis, Columns), panel.Curves[i].Tone, 1, 0.4);
            Line(curves[i].Path(steps, axis, BoldColumns), curves[i].Tone, 1.8, 1);
            // One point makes no line.
            if (panel.Curves[i] is { Points: [var (step, value)] } && double.IsFinite(value) && (!panel.IsLog || value > 0)) sheet.Circle(steps.At(step), axis.At(value), 2.5, curves[i].Tone.Fill());
            Bad(panel.Curves[i], steps);
        }

        if (panel.Held is { Points.Count: > 0 } held)
        {
            Line(held.Path(steps, axis, 200), held.Tone, 1.2, 1);
            foreach (var (step, value) in held.Points.Count <= 60 ? held.Points : []) if (double.IsFinite(value)) sheet.Circle(steps.At(step), axis.At(value), 2.2, held.Tone.Fill(), $"step {step}: {Numbers.Exact(value)}");
        }
    }

    private void Line(string path, Tone tone, double width, double opacity)
    {
        if (path.Length > 0) sheet.Body.Empty("path", ("d", path), ("class", tone.Stroke()), ("stroke-width", width), ("stroke-linejoin", "round"), ("opacity", opacity == 1 ? null : Numbers.Coordinate(opacity)));
    }

    /// <summary>A cross at the top for each step whose number is NaN or infinite.</summary>
    private void Bad(Curve curve, Axis steps)
    {
        var bad = curve.Points.Where(p => !double.IsFinite(p.Value)).ToList();
        NotFinite += bad.Count;
        foreach (var (step, _) in bad.Take(100))
        {
            var x = steps.At(step);
            sheet.Curve($"M{x - 3} -3l6 6M{x + 3} -3l-6 6", Tone.Loss, 1.5);
        }
    }

    /// <summary>A panel with its axis, its curves as they are drawn boldly, and the numbers that stand at their ends.</summary>
    private sealed record Measured(CurvePanel Panel, Axis? Axis, IReadOnlyList<Curve> Curves, IReadOnlyList<(double Value, string Text, Tone Tone)> Ends);
}
