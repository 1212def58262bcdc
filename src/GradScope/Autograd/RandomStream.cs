namespace GradScope;

/// <summary>
/// A stream of random numbers that is the same for the same seed on every machine and runtime: SplitMix64
/// (Steele, Lea and Flood 2014), whose state is a counter and can be saved and restored.
/// </summary>
public sealed class RandomStream(ulong seed)
{
    /// <summary>The counter; setting it to an earlier value repeats what followed.</summary>
    public ulong State { get; set; } = seed * 0x9E3779B97F4A7C15 + 0x1234567;

    /// <summary>64 uniform bits.</summary>
    public ulong Next() => Mix(State += 0x9E3779B97F4A7C15);

    /// <summary>A uniform integer from 0 to <paramref name="count"/> − 1.</summary>
    public int Next(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return (int)(((UInt128)Next() * (ulong)count) >> 64);
    }

    /// <summary>Uniform on [0, 1), with 53 bits.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Normal draws with mean 0 and standard deviation <paramref name="scale"/> (Box and Muller 1958).</summary>
    public void FillNormal(Span<float> target, double scale)
    {
        for (var i = 0; i < target.Length; i++)
        {
            var radius = Math.Sqrt(-2 * Math.Log(1 - NextDouble()));
            target[i] = (float)(scale * radius * Math.Cos(2 * Math.PI * NextDouble()));
        }
    }

    /// <summary>Brings items into a uniformly random order (Fisher and Yates).</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>SplitMix64's output function: a hash of 64 bits.</summary>
    internal static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
