using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace GradScope.Figures;

/// <summary>A figure's style sheet: every rule is below the figure's own class, so it never styles the page around it.</summary>
internal static partial class StyleSheet
{
    private static readonly (Tone Tone, string Name)[] Names =
    [
        (Tone.Ink, "ink"), (Tone.Muted, "muted"), (Tone.Value, "value"), (Tone.Gradient, "grad"), (Tone.Parameter, "param"),
        (Tone.Loss, "loss"), (Tone.Negative, "neg"), (Tone.Rule, "rule"), (Tone.Paper, "paper"),
    ];

    /// <summary>The rules a drawing needs, for the SVG: those of the classes in <paramref name="body"/> and of those that a script adds; null where it adds many.</summary>
    public static string ForDrawing(string root, Theme theme, string body, IReadOnlyList<string>? added)
    {
        var (css, looks) = (new StringBuilder(), new StringBuilder());
        HashSet<string> drawn = [Tone.Paper.Fill(), .. Classes().Matches(body).SelectMany(m => m.Groups[1].Value.Split(' '))];
        looks.Append($"svg.{root},.{root} svg{{font:{Pixels(theme.SmallSize)} {theme.Font};fill:{theme.Light.Ink};fill:var(--gs-ink)}}.{root} text{{white-space:pre}}")
            .Append($".{root} .z1{{font-size:{Pixels(theme.TitleSize)}}}.{root} .z2{{font-size:{Pixels(theme.TextSize)}}}");
        Rule("m", $"font-family:{theme.MonoFont}");
        Rule("b", "font-weight:600");
        Rule("c", "text-anchor:middle");
        Rule("e", "text-anchor:end");
        Rule("veil", $"opacity:{Ribbons.Veil.ToString(CultureInfo.InvariantCulture)};opacity:var(--gs-veil)");
        Rule("halo", $"paint-order:stroke;stroke:{theme.Light.Paper};stroke:var(--gs-paper);stroke-width:4px;stroke-linejoin:round");
        Rule("dense", "shape-rendering:crispEdges");
        if (drawn.Contains("hit")) looks.Append($".{root} .hit{{fill:none}}");
        if (drawn.Contains(Thumbnails.Class)) looks.Append($".{root} .{Thumbnails.Class}{{pointer-events:all}}");
        for (var step = 1; step < Ramp.Steps; step++)
        {
            if (drawn.Contains("o" + step.ToString(CultureInfo.InvariantCulture))) looks.Append($".{root} .o{step}{{opacity:{((double)step / Ramp.Steps).ToString("0.##", CultureInfo.InvariantCulture)}}}");
        }

        foreach (var (tone, name) in Names)
        {
            var (letter, plain) = (Tones.Letter(tone), Plain(theme.Light, tone));
            // The plain colour is for readers of SVG that know no variables.
            Rule("f" + letter, $"fill:{plain};fill:var(--gs-{name})");
            Rule("s" + letter, $"fill:none;stroke:{plain};stroke:var(--gs-{name})");
            var (text, variable) = tone switch
            {
                Tone.Gradient => (theme.Light.GradientText, "grad-text"),
                Tone.Negative => (theme.Light.NegativeText, "neg-text"),
                _ => (plain, name),
            };
            Rule("t" + letter, $"fill:{text};fill:var(--gs-{variable})");
        }

        var used = Used().Matches(looks.ToString()).Select(m => m.Groups[1].Value).ToHashSet();
        var light = Variables(theme.Light, Ribbons.Veil);
        var dark = Variables(theme.Dark, Ribbons.DarkVeil);
        var strongLight = Variables(theme.HighContrastLight, 1);
        var strongDark = Variables(theme.HighContrastDark, 1);
        // A named theme of the host outweighs the system's preference by its specificity, a wish for contrast outweighs both, and print all.
        css.Append($".{root}{{{Hosts}}}")
            .Append($".{root},:is({LightHosts}) .{root}{{{light}}}")
            .Append($"@media(prefers-color-scheme:dark){{.{root}{{{dark}}}}}")
            .Append($":is({DarkHosts}) .{root}{{{dark}}}")
            .Append($"@media(prefers-contrast:more),(forced-colors:active){{.{root},:is({LightHosts}) .{root}{{{strongLight}}}:is({DarkHosts}) .{root}{{{strongDark}}}}}")
            .Append($"@media(prefers-color-scheme:dark) and (prefers-contrast:more),(prefers-color-scheme:dark) and (forced-colors:active){{.{root}{{{strongDark}}}}}")
            .Append($":is({LightContrastHosts}) .{root}{{{strongLight}}}:is({DarkContrastHosts}) .{root}{{{strongDark}}}")
            .Append($"@media(forced-colors:active){{.{root}.{root}.{root}{{forced-color-adjust:none;--gs-ink:CanvasText;--gs-muted:CanvasText;--gs-rule:GrayText;--gs-paper:Canvas}}}}")
            .Append($"@media print{{.{root}.{root}.{root}{{{light}--gs-ink:var(--gs-i);--gs-muted:var(--gs-m);--gs-rule:var(--gs-r);--gs-paper:var(--gs-p);print-color-adjust:exact}}}}")
            .Append(looks);
        return css.ToString();

        void Rule(string name, string look)
        {
            if (added is null || drawn.Contains(name) || added.Contains(name)) looks.Append($".{root} .{name}{{{look}}}");
        }

        string Variables(Palette p, double veil) =>
            $"--gs-i:{p.Ink};--gs-m:{p.Muted};--gs-r:{p.Line};--gs-p:{p.Paper};--gs-value:{p.Value};--gs-grad:{p.Gradient};"
            + Variable("grad-text", p.GradientText) + Variable("param", p.Parameter) + Variable("loss", p.Loss)
            + Variable("neg", p.Negative) + Variable("neg-text", p.NegativeText) + Variable("veil", veil.ToString(CultureInfo.InvariantCulture));

        string Variable(string name, string value) => used.Contains(name) ? $"--gs-{name}:{value};" : "";
    }

    /// <summary>The rules of what surrounds the SVG in HTML: the scrolling frame, the drawing for narrow places where there is one, and the tables with so many columns of text before their numbers.</summary>
    public static string ForPage(string root, Theme theme, double width, double height, double? narrow, IEnumerable<int> textColumns) =>
        $".{root}.gs{{background:var(--gs-paper);color:var(--gs-ink);font:{Pixels(theme.TextSize)} {theme.Font};max-width:{Pixels(width)};margin:0;text-align:left}}"
        + $".{root} .gs-view{{overflow-x:auto}}.{root} .gs-drawn>svg{{display:block;overflow:visible;width:100%;height:auto;min-width:{Pixels(narrow is null ? Narrowest(width) : Least(width))};max-width:{Pixels(width)}}}"
        // Where a box goes on to the right there is a shade; paper that moves with what is in it covers the shade at its end.
        + $".{root} .gs-view{{background:linear-gradient(to left,var(--gs-paper) 40%,transparent) right/32px 100% no-repeat local,linear-gradient(to left,rgba(128,128,128,.6),transparent) right/16px 100% no-repeat}}.{root} .gs-drawn>svg>rect:first-of-type{{fill-opacity:0}}"
        + (narrow is { } small ? Switch(root, width, small) : "")
        + $".{root} details{{margin:0 16px;padding:4px 0 8px;font-size:{Pixels(theme.SmallSize)}}}.{root} summary{{cursor:pointer;color:var(--gs-muted)}}"
        + $".{root} .gs-view:focus-visible,.{root} summary:focus-visible{{outline:2px solid var(--gs-value);outline-offset:1px}}"
        + $".{root} table{{border-collapse:collapse;margin:8px 0;background:none;color:inherit;font:inherit;width:auto}}.{root} caption{{text-align:left;font-weight:600;padding:4px 0;color:inherit;caption-side:top}}"
        + $".{root} :is(th,td){{padding:1px 12px 1px 0;border:0;border-bottom:1px solid var(--gs-rule);text-align:left;vertical-align:top;background:none;color:inherit;font-weight:400;white-space:pre-wrap}}"
        + string.Concat(textColumns.Distinct().Order().Select(k => $".{root} .gs-t{k} :is(th,td):nth-child(n+{k + 1}){{font-family:{theme.MonoFont};text-align:right}}"))
        + $".{root} thead th{{color:var(--gs-muted)}}"
        + $"@media print{{.{root} .gs-view{{overflow:visible;background:none}}.{root} .gs-drawn{{overflow:hidden}}.{root} .gs-drawn>svg:not(.gs-narrow){{display:block;min-width:0{OnPaper(width, height)}}}.{root} .gs-drawn>.gs-narrow{{display:none}}.{root} thead{{display:table-header-group}}.{root} tr{{break-inside:avoid}}.{root} details:not([open])>summary::after{{content:' (folded: open them to have them on paper)'}}}}";

    /// <summary>A phone's width for what is legible there; what is wider shrinks a little and then scrolls in its own box.</summary>
    private static double Narrowest(double width) => width <= 440 ? Math.Min(width, 328) : width * 0.85;

    /// <summary>How far a drawing shrinks before the narrow one takes its place: its small text keeps 8 pixels.</summary>
    public static double Least(double width) => Math.Ceiling(width * 0.73);

    /// <summary>A drawing that fits on a page of paper without becoming too small is shrunk to it and stands on one; a longer one goes on over several.</summary>
    private static string OnPaper(double width, double height) => Math.Min(PaperWidth / width, PaperHeight / height) < SmallestOnPaper ? ";break-inside:avoid"
        : string.Create(CultureInfo.InvariantCulture, $";width:min(100%,{96 * width / height:0.#}vh);break-inside:avoid");

    /// <summary>Where the wide drawing would be too small, the narrow one stands in its place.</summary>
    private static string Switch(string root, double width, double narrow) =>
        $".{root} .gs-drawn{{container-type:inline-size;contain-intrinsic-inline-size:{Pixels(width)}}}"
        + $".{root} .gs-drawn>.gs-narrow{{display:none;min-width:{Pixels(Narrowest(narrow))};max-width:{Pixels(narrow)}}}"
        + $"@container(max-width:{Pixels(Least(width) - 1)}){{.{root} .gs-drawn>svg{{display:none}}.{root} .gs-drawn>.gs-narrow{{display:block}}}}";

    // A4 and Letter less usual margins, in CSS pixels.
    private const double PaperWidth = 700, PaperHeight = 960, SmallestOnPaper = 0.55;

    private const string LightHosts = ".vscode-light,[data-jp-theme-light=true],[data-theme=light]";
    private const string DarkHosts = ".vscode-dark,[data-jp-theme-light=false],[data-theme=dark]";

    // VS Code puts both classes on a light page; JupyterLab has the word in its theme's name.
    private const string LightContrastHosts = ".vscode-high-contrast-light,[data-jp-theme-light=true][data-jp-theme-name*=Contrast]";
    private const string DarkContrastHosts = ".vscode-high-contrast:not(.vscode-high-contrast-light),[data-jp-theme-light=false][data-jp-theme-name*=Contrast]";

    // The host's own colours come first.
    private const string Hosts =
        "--gs-ink:var(--vscode-editor-foreground,var(--jp-content-font-color1,var(--gs-i)));"
        + "--gs-muted:var(--vscode-descriptionForeground,var(--jp-content-font-color2,var(--gs-m)));"
        + "--gs-rule:var(--vscode-editorWidget-border,var(--jp-border-color1,var(--gs-r)));"
        + "--gs-paper:var(--vscode-editor-background,var(--jp-layout-color0,var(--gs-p)))";

    private static string Plain(Palette p, Tone tone) => tone switch
    {
        Tone.Ink => p.Ink,
        Tone.Muted => p.Muted,
        Tone.Value => p.Value,
        Tone.Gradient => p.Gradient,
        Tone.Parameter => p.Parameter,
        Tone.Loss => p.Loss,
        Tone.Negative => p.Negative,
        Tone.Rule => p.Line,
        _ => p.Paper,
    };

    [GeneratedRegex("class=\"([^\"]*)\"")]
    private static partial Regex Classes();

    [GeneratedRegex(@"var\(--gs-([\w-]+)\)")]
    private static partial Regex Used();

    public static string Pixels(double size) => size.ToString("0.##", CultureInfo.InvariantCulture) + "px";
}
