using System.Globalization;

namespace GradScope.Figures;

/// <summary>Curves over steps, in panels above each other between two edges; noisy ones are smoothed over a window.</summary>
internal sealed class CurvePanels(Sheet sheet, double left, double right, int window)
{
    /// <summary>What is free between panels.</summary>
    public const double Space = 30;

    private const int FewestToSmooth = 40;

    /// <summary>How many numbers that are no numbers were met.</summary>
    public int NotFinite { get; private set; }

    /// <summary>Over how many steps curves of so many are smoothed.</summary>
    public static int WindowOf(int steps) => steps < FewestToSmooth ? 1 : Math.Max(2, steps / 25);

    /// <summary>The axis of values that a panel of this height has; null where there is nothing to draw.</summary>
    public static Axis? Scale(IReadOnlyList<double> values, bool isLog, double height, double top, double bottom)
    {
        if (values.Count == 0) return null;
        if (isLog) return Axis.Logarithmic(values.Min(), values.Max(), bottom, top);

        var (low, high) = (values.Min(), values.Max());
        // A curve that comes near zero, in its own range, is shown with zero.
        low = low >= 0 && low < 0.35 * high ? 0 : low - 0.04 * (high - low);
        return Axis.Linear(low, high + 0.04 * (high - low), bottom, top, (int)(height / 28));
    }

    /// <summary>A panel of curves below y, with measurements on held-out data and baselines where there are some; answers the y of the next.</summary>
    public double Draw(string name, double height, Axis steps, double y, Func<double, string> format, bool isLog, IReadOnlyList<Curve> curves, Curve? held, IReadOnlyList<Baseline> baselines, bool smooth = true)
    {
        sheet.Text(Sheet.Margin, y + 12, name, Face.Text);
        var (top, bottom) = (y + 24, y + 24 + height);
        var all = curves.Concat(held is null ? [] : [held]).ToList();
        if (Scale(all.SelectMany(c => c.Finite).Concat(baselines.Select(b => b.Loss)).Where(v => !isLog || v > 0).ToList(), isLog, height, top, bottom) is not { } axis)
        {
            sheet.Text(left, top + 14, isLog ? "no positive, finite number to draw" : "no finite number to draw", Face.Note.In(Tone.Loss));
            return bottom + Space;
        }

        foreach (var tick in axis.Ticks)
        {
            sheet.Line(left, axis.At(tick), right, axis.At(tick), Tone.Rule);
            var decade = (int)Math.Round(Math.Log10(Math.Max(tick, 1e-300)));
            sheet.Text(left - 8, axis.At(tick) + 4, isLog ? Numbers.PowerOfTen(decade) : format(Math.Abs(tick) < 1e-12 ? 0 : tick), Face.Number.In(Tone.Muted), Anchor.End);
        }

        var ends = new List<(double Y, string Text, Tone Tone)>();
        foreach (var curve in curves)
        {
            var smoothed = smooth && window > 1 ? curve.Smooth(window) : curve;
            var columns = (int)(right - left);
            if (smoothed != curve) Line(curve.Path(steps, axis, columns), curve.Tone, 1, 0.4);
            Line(smoothed.Path(steps, axis, columns / 4), curve.Tone, 1.8, 1);
            Bad(curve, steps, top);
            End(curve.Name, smoothed);
        }

        if (held is { Points.Count: > 0 })
        {
            Line(held.Path(steps, axis, 200), held.Tone, 1.2, 1);
            foreach (var (step, value) in held.Points.Count <= 60 ? held.Points : []) if (double.IsFinite(value)) sheet.Circle(steps.At(step), axis.At(value), 2.2, held.Tone.Fill(), $"step {step}: {Numbers.Exact(value)}");
            End(held.Name, held);
        }

        Baselines(baselines, axis);
        var previous = double.NegativeInfinity;
        foreach (var (at, text, tone) in ends.OrderBy(e => e.Y))
        {
            previous = Math.Max(at, previous + 14);
            sheet.Text(right + 7, previous + 4, text, Face.Number.In(tone));
        }

        sheet.Body.Line();
        return bottom + Space;

        void End(string label, Curve curve)
        {
            var (step, last) = curve.Points.LastOrDefault(p => double.IsFinite(p.Value) && (!isLog || p.Value > 0));
            if (step > 0) ends.Add((axis.At(last), label.Length > 0 ? $"{format(last)} {label}" : format(last), curve.Tone));
        }
    }

    /// <summary>Dashed lines with their names on the right half, where a falling curve leaves room, each above its line.</summary>
    private void Baselines(IReadOnlyList<Baseline> baselines, Axis axis)
    {
        var free = double.PositiveInfinity;
        foreach (var baseline in baselines.Where(b => double.IsFinite(b.Loss)).OrderByDescending(b => axis.At(b.Loss)))
        {
            var y = axis.At(baseline.Loss);
            sheet.Line(left, y, right, y, Tone.Muted, 1.2, baseline.IsFloor ? "2 3" : "6 4");
            var text = $"{baseline.Name} {baseline.Loss.ToString("0.000", CultureInfo.InvariantCulture)}{(baseline.IsFloor ? " (floor)" : "")}";
            var place = Math.Min(y - 4, free - 14);
            sheet.Text(right - 4, place, text, Face.Note, Anchor.End, fit: (right - left) / 2, halo: true);
            free = place;
        }
    }

    private void Line(string path, Tone tone, double width, double opacity)
    {
        if (path.Length > 0) sheet.Body.Empty("path", ("d", path), ("class", tone.Stroke()), ("stroke-width", width), ("stroke-linejoin", "round"), ("opacity", opacity == 1 ? null : Numbers.Coordinate(opacity)));
    }

    /// <summary>A cross at the top for each step whose number is NaN or infinite.</summary>
    private void Bad(Curve curve, Axis steps, double top)
    {
        var bad = curve.Points.Where(p => !double.IsFinite(p.Value)).ToList();
        NotFinite += bad.Count;
        foreach (var (step, _) in bad.Take(100))
        {
            var x = steps.At(step);
            sheet.Curve($"M{x - 3} {top - 3}l6 6M{x + 3} {top - 3}l-6 6", Tone.Loss, 1.5);
        }
    }

    /// <summary>The steps' line, with its ticks.</summary>
    public void Steps(Axis steps, double y)
    {
        sheet.Line(left, y - 4, right, y - 4, Tone.Muted);
        foreach (var tick in steps.Ticks.Where(t => t == Math.Round(t)))
        {
            sheet.Line(steps.At(tick), y - 4, steps.At(tick), y, Tone.Muted);
            sheet.Text(steps.At(tick), y + 12, Numbers.Count((int)tick), Face.Number.In(Tone.Muted), Anchor.Middle);
        }

        sheet.Text(left - 8, y + 12, "step", Face.Note, Anchor.End);
    }
}
