using System.Globalization;
using System.Text.RegularExpressions;
using GradScope.Testing;

namespace GradScope.Figures.Tests;

/// <summary>
/// Figures of a really trained model against committed files. Set GRADSCOPE_UPDATE_SNAPSHOTS=1 to write them anew, then look at what changed.
/// Numbers are compared to 3 digits, since another kind of CPU adds in another order; everything else exactly.
/// </summary>
public sealed partial class SnapshotTests
{
    private static readonly string folder = Path.Combine(Repository.Root, "tests", "GradScope.Figures.Tests", "Snapshots");

    [Theory]
    [MemberData(nameof(Gallery.RealNames), MemberType = typeof(Gallery))]
    public void Figure_is_as_committed(string name)
    {
        var figure = Gallery.Draw(name);
        Compare(name + ".svg", figure.Svg);
        Compare(name + ".txt", figure.Text + "\n");
        if (name == "tape") Compare(name + ".html", figure.Html);
    }

    [Theory]
    [MemberData(nameof(Gallery.Names), MemberType = typeof(Gallery))]
    public void Culture_does_not_matter_and_the_same_is_drawn_twice(string name)
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
            var invariant = Gallery.Draw(name);
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
            var german = Gallery.Draw(name);
            Assert.Equal(invariant.Html, german.Html);
            Assert.Equal(invariant.Text, german.Text);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static void Compare(string file, string drawn)
    {
        var path = Path.Combine(folder, file);
        if (Environment.GetEnvironmentVariable("GRADSCOPE_UPDATE_SNAPSHOTS") == "1")
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(path, Normalise(drawn));
            return;
        }

        Assert.True(File.Exists(path), $"There is no snapshot {file}; write it with GRADSCOPE_UPDATE_SNAPSHOTS=1.");
        var (expected, received) = (Tokens(File.ReadAllText(path)), Tokens(Normalise(drawn)));
        for (var i = 0; i < Math.Min(expected.Count, received.Count); i++)
        {
            Assert.True(Alike(expected[i], received[i]), $"{file} differs at part {i}: expected …{Around(expected, i)}…, received …{Around(received, i)}…");
        }

        Assert.Equal(expected.Count, received.Count);
    }

    // The prefix is a hash of all digits.
    private static string Normalise(string drawn) => Prefix().Replace(drawn, "gs-0");

    private static List<string> Tokens(string text) => [.. Number().Split(text)];

    private static bool Alike(string a, string b) => a == b
        || (double.TryParse(a, NumberStyles.Float, CultureInfo.InvariantCulture, out var x) && double.TryParse(b, NumberStyles.Float, CultureInfo.InvariantCulture, out var y)
            && Math.Abs(x - y) <= 0.011 + 2e-3 * Math.Abs(x));

    private static string Around(List<string> tokens, int i) => string.Concat(tokens.Skip(Math.Max(0, i - 6)).Take(13));

    [GeneratedRegex("gs-[0-9a-f]{8}")]
    private static partial Regex Prefix();

    [GeneratedRegex(@"(\d*\.?\d+)")]
    private static partial Regex Number();
}
