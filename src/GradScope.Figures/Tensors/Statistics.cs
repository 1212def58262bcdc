namespace GradScope.Figures;

/// <summary>A tensor in a few numbers, of its finite elements; sums are in double.</summary>
internal sealed record Statistics(double Least, double Greatest, double Mean, double Deviation, double Norm, int NaNs, int Infinities)
{
    public int NotFinite => NaNs + Infinities;

    public static Statistics Of(Tensor tensor)
    {
        var (least, greatest, sum, squares, count, nans) = (double.PositiveInfinity, double.NegativeInfinity, 0.0, 0.0, 0, 0);
        foreach (var x in tensor.Values)
        {
            if (!float.IsFinite(x))
            {
                if (float.IsNaN(x)) nans++;
                continue;
            }

            (least, greatest, sum, squares, count) = (Math.Min(least, x), Math.Max(greatest, x), sum + x, squares + (double)x * x, count + 1);
        }

        var infinities = tensor.Length - count - nans;
        if (count == 0) return new(double.NaN, double.NaN, double.NaN, double.NaN, double.NaN, nans, infinities);

        var mean = sum / count;
        var variance = 0.0;
        foreach (var x in tensor.Values)
        {
            if (float.IsFinite(x)) variance += (x - mean) * (x - mean);
        }

        return new(least, greatest, mean, Math.Sqrt(variance / count), Math.Sqrt(squares), nans, infinities);
    }
}
