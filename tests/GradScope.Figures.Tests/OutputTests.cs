using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace GradScope.Figures.Tests;

/// <summary>What every figure promises, whatever it shows.</summary>
public sealed partial class OutputTests
{
    private static readonly XNamespace svg = "http://www.w3.org/2000/svg";

    [Theory]
    [MemberData(nameof(Gallery.Names), MemberType = typeof(Gallery))]
    public void Svg_is_complete_by_itself(string name)
    {
        var figure = Gallery.Draw(name);
        var root = XDocument.Parse(figure.Svg).Root!;
        Assert.Equal(svg + "svg", root.Name);
        Assert.Equal($"0 0 {root.Attribute("width")!.Value} {root.Attribute("height")!.Value}", root.Attribute("viewBox")!.Value);
        Assert.Equal("img", root.Attribute("role")!.Value);
        Assert.Equal(figure.Title, root.Element(svg + "title")!.Value);
        Assert.NotEmpty(root.Element(svg + "desc")!.Value);
        Assert.Equal(["title", "desc"], root.Elements().Take(2).Select(e => e.Name.LocalName));
        Assert.DoesNotContain("NaN", string.Concat(root.DescendantsAndSelf().Attributes().Where(a => a.Name != "aria-label").Select(a => a.Value)));
        Assert.DoesNotMatch(@"[ ""M]-0[ ""]", figure.Svg);
    }

    [Theory]
    [MemberData(nameof(Gallery.Names), MemberType = typeof(Gallery))]
    public void Html_is_one_element_that_asks_for_nothing_and_styles_only_itself(string name)
    {
        var figure = Gallery.Draw(name);
        var root = XDocument.Parse(figure.Html).Root!;
        Assert.Equal("div", root.Name.LocalName);
        var prefix = root.Attribute("class")!.Value.Split(' ')[0];
        Assert.All(root.Descendants().Attributes("id"), id => Assert.StartsWith(prefix + "-", id.Value));
        // The only script is ours, once, and only where there are numbers for it.
        Assert.Equal(
            root.Attribute("data-gradscope") is not { } mark ? [] : ["//\n" + FigureScript.For(mark.Value.Split(' ')[1]) + "//"],
            root.Descendants().Where(e => e.Name.LocalName == "script").Select(e => e.Value));
        Assert.DoesNotContain(root.Descendants(), e => e.Name.LocalName is "link" or "img" or "iframe" or "image" or "use" or "foreignObject");
        Assert.DoesNotContain(root.Descendants().Attributes(), a => a.Name.LocalName.StartsWith("on", StringComparison.OrdinalIgnoreCase) || a.Name.LocalName is "href" or "src" or "style");
        foreach (var style in root.Descendants().Where(e => e.Name.LocalName == "style"))
        {
            Assert.DoesNotContain("url(", style.Value);
            Assert.DoesNotContain("@import", style.Value);
            var selectors = Rule().Matches(Media().Replace(style.Value, "")).Select(m => m.Groups[1].Value).Where(s => s.Length > 0);
            Assert.All(selectors, selector => Assert.Contains("." + prefix, selector));
        }
    }

    [Theory]
    [MemberData(nameof(Gallery.Names), MemberType = typeof(Gallery))]
    public void Only_three_sizes_of_text(string name)
    {
        var figure = Gallery.Draw(name);
        Assert.DoesNotContain("font-size=", figure.Svg);
        Assert.True(Sizes().Matches(figure.Html).Select(m => m.Value.Split(':')[1]).Distinct().Count() <= 3);
    }

    /// <summary>A figure carries no look that it does not need; here that it has all it needs, its script's among them.</summary>
    [Theory]
    [MemberData(nameof(Gallery.Names), MemberType = typeof(Gallery))]
    public void What_is_drawn_has_its_look(string name)
    {
        var root = XDocument.Parse(Gallery.Draw(name).Html).Root!;
        var styles = string.Concat(root.Descendants().Where(e => e.Name.LocalName == "style").Select(e => e.Value));
        var drawn = root.Descendants(svg + "svg").SelectMany(e => e.Descendants()).Select(e => (string?)e.Attribute("class"));
        // What the script surrounds a drawing with, gs-…, has rules of its own.
        var added = root.Elements("script").SelectMany(e => AddedClasses(e.Value)).Where(c => !c.StartsWith("gs-", StringComparison.Ordinal));
        Assert.All(drawn.OfType<string>().SelectMany(c => c.Split(' ')).Concat(added).Distinct(), c => Assert.Contains($" .{c}{{", styles));
        // Where the transport turns from forward to backward the script itself sets.
        Assert.All(Variable().Matches(styles).Select(m => m.Groups[1].Value).Where(v => v != "--gs-turn").Distinct(), v => Assert.Contains($"{v}:", styles));
    }

    /// <summary>What the test above takes from a script, which is shortened, is there.</summary>
    [Fact]
    public void Classes_that_the_script_adds_are_found_in_it() => Assert.Superset(new HashSet<string> { "halo", "hit", "tm", "gs-tip" }, AddedClasses(FigureScript.Text).ToHashSet());

    [Fact]
    public void Prefixes_are_the_figures_own()
    {
        var prefixes = Gallery.All.Select(f => XDocument.Parse(f.Value().Svg).Root!.Attribute("class")!.Value).ToList();
        Assert.Equal(prefixes.Count, prefixes.Distinct().Count());
    }

    [Theory]
    [InlineData("trained-model", 100)]
    [InlineData("deep-model", 120)]
    [InlineData("trained-player", 300)]
    [InlineData("trained-tape", 100)]
    [InlineData("tape", 40)]
    [InlineData("trained-flow", 100)]
    [InlineData("trained-attention", 100)]
    [InlineData("trained-training", 100)]
    [InlineData("trained-history", 100)]
    [InlineData("trained-predictions", 100)]
    [InlineData("trained-pattern", 100)]
    [InlineData("training-long", 100)]
    [InlineData("flow-deep", 200)]
    [InlineData("attention-large", 350)]
    public void Html_is_small_enough(string name, int kilobytes)
    {
        var size = Encoding.UTF8.GetByteCount(Gallery.Draw(name).Html);
        Assert.True(size <= kilobytes * 1000, $"{name} has {size:N0} bytes; it should have {kilobytes},000 or fewer.");
    }

    [Fact]
    public void Nothing_that_users_name_becomes_markup()
    {
        Assert.All(Synthetic.Named(["\"'><script>alert(1)</script><b onclick=\"x\">&amp;\u0000\ud800", "'"]), figure =>
        {
            var root = XDocument.Parse(figure.Html).Root!;
            Assert.DoesNotContain(root.Descendants(), e => e.Name.LocalName == "b" || (e.Name.LocalName == "script" && e.Value.Contains("alert", StringComparison.Ordinal)));
            Assert.Empty(root.Descendants().Attributes("onclick"));
            Assert.Contains("<script>", root.Value);
        });
    }

    [Fact]
    public void A_colour_that_would_end_the_style_sheet_is_refused()
    {
        var theme = Theme.Default with { Light = Palette.LightDefault with { Ink = "red}</style><script>" } };
        var error = Assert.Throws<ArgumentException>(() => new Tensor([1], 1).ToFigure(options: new() { Theme = theme }));
        Assert.Contains("CSS colour", error.Message);
    }

    [Fact]
    public void Files_are_replaced_only_by_whole_files()
    {
        var folder = Directory.CreateTempSubdirectory("gradscope");
        try
        {
            var figure = Trained.Micrograd().ToFigure();
            var (page, drawing) = (Path.Combine(folder.FullName, "tape.html"), Path.Combine(folder.FullName, "tape.svg"));
            File.WriteAllText(page, "old");
            figure.SaveHtml(page);
            figure.SaveSvg(drawing);
            Assert.StartsWith("<!doctype html>", File.ReadAllText(page));
            Assert.Contains(figure.Html, File.ReadAllText(page));
            Assert.Equal(figure.Svg, File.ReadAllText(drawing));
            Assert.Equal(2, folder.GetFiles().Length);
            Assert.ThrowsAny<IOException>(() => figure.SaveHtml(Path.Combine(folder.FullName, "no such folder", "x.html")));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [GeneratedRegex(@"font(-size)?:[\d.]+px")]
    private static partial Regex Sizes();

    private static IEnumerable<string> AddedClasses(string script) => ScriptClass().Matches(script).SelectMany(m => m.Groups[1].Value.Split(' '));

    [GeneratedRegex(@"[{,]""?class""?:""([^""]*)""(?=[,}])")]
    private static partial Regex ScriptClass();

    [GeneratedRegex(@"var\((--gs-[\w-]+)[,)]")]
    private static partial Regex Variable();

    [GeneratedRegex(@"@media[^{]*\{")]
    private static partial Regex Media();

    [GeneratedRegex(@"([^{}]*)\{[^{}]*\}")]
    private static partial Regex Rule();
}
