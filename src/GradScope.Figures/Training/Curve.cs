using System.Text;

namespace GradScope.Figures;

/// <summary>Numbers over steps. Numbers that are NaN or infinite leave a gap.</summary>
internal sealed record Curve(string Name, Tone Tone, IReadOnlyList<(int Step, double Value)> Points)
{
    public IEnumerable<double> Finite => Points.Select(p => p.Value).Where(double.IsFinite);

    /// <summary>The mean of each point and the <paramref name="window"/> − 1 before it; NaN and infinity are left out of it.</summary>
    public Curve Smooth(int window)
    {
        var smooth = new (int, double)[Points.Count];
        for (var i = 0; i < smooth.Length; i++)
        {
            var values = Points.Skip(Math.Max(0, i - window + 1)).Take(Math.Min(window, i + 1)).Select(p => p.Value).Where(double.IsFinite);
            smooth[i] = (Points[i].Step, values.DefaultIfEmpty(double.NaN).Average());
        }

        return this with { Points = smooth };
    }

    /// <summary>The line; where there are more points than <paramref name="columns"/>, each column is a stroke from its lowest to its highest number.</summary>
    public string Path(Axis x, Axis y, int columns)
    {
        // In whole tenths of a pixel and from point to point, which takes half the characters and adds up without error.
        var path = new StringBuilder();
        var (down, left, top) = (false, 0L, 0L);
        foreach (var (step, value) in Points.Count <= columns ? Points : Envelope(columns))
        {
            if (!double.IsFinite(value) || (y.IsLog && value <= 0))
            {
                down = false;
                continue;
            }

            var (right, bottom) = ((long)Math.Round(10 * x.At(step)), (long)Math.Round(10 * y.At(value)));
            path.Append(down ? Sheet.PathOf($"l{(right - left) / 10.0} {(bottom - top) / 10.0}") : Sheet.PathOf($"M{right / 10.0} {bottom / 10.0}"));
            (down, left, top) = (true, right, bottom);
        }

        return path.ToString();
    }

    private IEnumerable<(int Step, double Value)> Envelope(int columns)
    {
        foreach (var chunk in Points.Select((p, i) => (Point: p, Column: (int)((long)i * columns / Points.Count))).GroupBy(p => p.Column, p => p.Point))
        {
            var finite = chunk.Where(p => double.IsFinite(p.Value)).ToList();
            if (finite.Count == 0)
            {
                yield return (chunk.First().Step, double.NaN);
                continue;
            }

            var (low, high) = (finite.MinBy(p => p.Value), finite.MaxBy(p => p.Value));
            yield return low.Step <= high.Step ? low : high;
            if (low.Step != high.Step) yield return low.Step <= high.Step ? high : low;
        }
    }
}
