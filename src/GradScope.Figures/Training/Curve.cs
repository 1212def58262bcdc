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
            var (sum, count) = (0.0, 0);
            for (var j = Math.Max(0, i - window + 1); j <= i; j++)
            {
                if (double.IsFinite(Points[j].Value)) (sum, count) = (sum + Points[j].Value, count + 1);
            }

            smooth[i] = (Points[i].Step, count > 0 ? sum / count : double.NaN);
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
        for (var column = 0; column < columns; column++)
        {
            var (from, to) = ((int)((long)column * Points.Count / columns), (int)((long)(column + 1) * Points.Count / columns));
            var (low, high) = (-1, -1);
            for (var i = from; i < to; i++)
            {
                var value = Points[i].Value;
                if (!double.IsFinite(value)) continue;
                if (low < 0 || value < Points[low].Value) low = i;
                if (high < 0 || value > Points[high].Value) high = i;
            }

            if (low < 0)
            {
                yield return (Points[from].Step, double.NaN);
                continue;
            }

            yield return Points[Math.Min(low, high)];
            if (low != high) yield return Points[Math.Max(low, high)];
        }
    }
}
