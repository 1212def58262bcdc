using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using GradScope.Testing;
using Microsoft.Playwright;

namespace GradScope.Figures.Tests;

/// <summary>Figures wherever they are shown: themes and contrast, narrow and wide, on paper, many in a page, one twice, and of large models.</summary>
public sealed partial class EverywhereTests(BrowserTests.Browser browser) : IClassFixture<BrowserTests.Browser>
{
    // The contrast (WCAG 2) of each text on the figure's paper, and of each tone of marks that a figure's style has; and how many of the five tones were seen.
    private const string Contrasts = """
        () => {
          const parse = colour => { const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number); return { c: [r, g, b], a }; };
          const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
          const result = { text: 99, mark: 99 }, seen = new Set();
          for (const svg of document.querySelectorAll('svg:not(svg *)')) {
            const paper = parse(getComputedStyle(svg.querySelector(':scope > rect')).fill).c;
            const against = (colour, veil = 1) => {
              const { c, a } = parse(colour);
              const [x, y] = [light(c.map((v, i) => v * a * veil + paper[i] * (1 - a * veil))), light(paper)];
              return (Math.max(x, y) + .05) / (Math.min(x, y) + .05);
            };
            for (const text of svg.querySelectorAll('text,tspan')) result.text = Math.min(result.text, against(getComputedStyle(text).fill));
            const mark = document.createElementNS(svg.namespaceURI, 'path');
            svg.append(mark);
            const style = [...svg.closest('.gs').querySelectorAll('style')].map(style => style.textContent).join('');
            for (const letter of ['v', 'g', 'n', 'p', 'l'].filter(letter => style.includes(` .f${letter}{`))) {
              seen.add(letter);
              mark.setAttribute('class', `f${letter} veil`);
              result.mark = Math.min(result.mark, against(getComputedStyle(mark).fill, Number(getComputedStyle(mark).opacity)));
            }
            mark.remove();
          }
          return [result.text, result.mark, seen.size];
        }
        """;

    /// <summary>The same without what the script would make of it.</summary>
    private static string Still(string html) => html.Replace(" data-gradscope=", " data-still=", StringComparison.Ordinal);

    private const string Clean = "() => { document.body.className = ''; for (const key of Object.keys(document.body.dataset)) delete document.body.dataset[key]; document.body.removeAttribute('style'); }";

    [RequiresFact(Tool.Chromium)]
    public async Task Text_and_marks_stand_out_in_every_theme()
    {
        var page = await browser.OpenAsync();
        await page.SetContentAsync(Still(string.Concat(Gallery.Real.Values.Select(draw => draw().Html))));
        const string HighContrast = "const s = document.body.style; s.setProperty('--vscode-editor-foreground', '#fff'); s.setProperty('--vscode-editor-background', '#000'); s.setProperty('--vscode-descriptionForeground', 'rgba(255,255,255,.7)');";
        const string JupyterDark = "const s = document.body.style; s.setProperty('--jp-content-font-color1', 'rgba(255,255,255,1)'); s.setProperty('--jp-content-font-color2', 'rgba(255,255,255,.7)'); s.setProperty('--jp-layout-color0', '#111111');";
        (string What, PageEmulateMediaOptions Media, string Host, double Text, double Mark)[] cases =
        [
            ("light", new() { ColorScheme = ColorScheme.Light }, "", 4.5, 3),
            ("dark", new() { ColorScheme = ColorScheme.Dark }, "", 4.5, 3),
            ("JupyterLab dark", new() { ColorScheme = ColorScheme.Light }, "document.body.dataset.jpThemeLight = 'false';" + JupyterDark, 4.5, 3),
            ("VS Code high contrast", new() { ColorScheme = ColorScheme.Light }, "document.body.className = 'vscode-high-contrast';" + HighContrast, 7, 7),
            ("VS Code high contrast light", new() { ColorScheme = ColorScheme.Dark }, "document.body.className = 'vscode-high-contrast vscode-high-contrast-light';", 7, 7),
            ("JupyterLab dark high contrast", new() { ColorScheme = ColorScheme.Light }, "document.body.dataset.jpThemeLight = 'false'; document.body.dataset.jpThemeName = 'JupyterLab Dark High Contrast';" + JupyterDark, 7, 7),
            ("more contrast, light", new() { ColorScheme = ColorScheme.Light, Contrast = Contrast.More }, "", 7, 7),
            ("more contrast, dark", new() { ColorScheme = ColorScheme.Dark, Contrast = Contrast.More }, "", 7, 7),
            ("more contrast, dark host", new() { ColorScheme = ColorScheme.Light, Contrast = Contrast.More }, "document.body.className = 'vscode-dark';", 7, 7),
            ("forced colours, light", new() { ColorScheme = ColorScheme.Light, ForcedColors = ForcedColors.Active }, "", 7, 7),
            ("forced colours, dark", new() { ColorScheme = ColorScheme.Dark, ForcedColors = ForcedColors.Active }, "", 7, 7),
            ("print", new() { ColorScheme = ColorScheme.Dark, Media = Media.Print }, "document.body.dataset.jpThemeLight = 'false';" + JupyterDark, 4.5, 3),
        ];
        List<string> problems = [];
        foreach (var (what, media, host, text, mark) in cases)
        {
            media.Contrast ??= Contrast.NoPreference;
            media.ForcedColors ??= ForcedColors.None;
            media.Media ??= Media.Screen;
            await page.EmulateMediaAsync(media);
            await page.EvaluateAsync(Clean);
            await page.EvaluateAsync($"() => {{ {host} }}");
            var least = await page.EvaluateAsync<double[]>(Contrasts);
            Assert.Equal(5, least[2]);
            if (least[0] < text || least[1] < mark) problems.Add($"{what}: text {least[0]:0.00}:1, marks {least[1]:0.00}:1");
        }

        await page.CloseAsync();
        Assert.Empty(problems);
    }

    [RequiresFact(Tool.Chromium)]
    public async Task From_360_to_1400_pixels_the_page_never_scrolls_sideways_and_text_stays_legible()
    {
        // Of the drawing that shows: how far the page scrolls, the height of its smallest text, its scale, and how far it is scrolled in its own box.
        const string Measure = """
            () => [...document.querySelectorAll('.gs-drawn')].map(view => {
              const svg = [...view.children].find(drawing => drawing.getBoundingClientRect().width > 0);
              const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
              return [document.documentElement.scrollWidth - document.documentElement.clientWidth, scale * Math.min(...[...svg.querySelectorAll('text')].map(t => parseFloat(getComputedStyle(t).fontSize))), scale, view.scrollWidth - view.clientWidth];
            })
            """;
        var page = await browser.OpenAsync();
        List<string> problems = [];
        foreach (var (name, draw) in Gallery.All)
        {
            await page.SetContentAsync(Still(draw().ToPage()));
            foreach (var width in (int[])[360, 700, 1100, 1400])
            {
                await page.SetViewportSizeAsync(width, 800);
                var drawing = Assert.Single(await page.EvaluateAsync<double[][]>(Measure));
                if (drawing is not [0, >= 8, <= 1, _] || (drawing[3] > 0 && !Scrolls(name))) problems.Add($"{name}, {width} px: {string.Join(", ", drawing)}");
            }
        }

        await page.CloseAsync();
        Assert.Empty(problems);

        // What cannot be told in a phone's width without a script: a long tape, and the maps of many heads or of long tokens.
        static bool Scrolls(string name) => name.Contains("tape", StringComparison.Ordinal) || name.Contains("player", StringComparison.Ordinal) || name is "deep-attention" or "attention-large" or "attention-odd-tokens";
    }

    [RequiresFact(Tool.Chromium)]
    public async Task On_paper_everything_is_there_in_the_light()
    {
        const string Hidden = """
            () => [...document.querySelectorAll('.gs')].flatMap(figure => {
              const svg = figure.querySelector('svg').getBoundingClientRect();
              const view = figure.querySelector('.gs-view');
              const problems = [];
              if (svg.right > document.documentElement.clientWidth || view.scrollWidth > view.clientWidth) problems.push('cut at the right');
              const told = getComputedStyle(figure.querySelector('summary'), '::after').content;
              if (!told.includes('folded')) problems.push('folded numbers are not told: ' + told);
              return problems;
            })
            """;
        var page = await browser.OpenAsync();
        await page.EmulateMediaAsync(new() { Media = Media.Print, ColorScheme = ColorScheme.Dark });
        await page.SetViewportSizeAsync(718, 1000);
        List<string> problems = [];
        foreach (var (name, draw) in Gallery.Real)
        {
            await page.SetContentAsync(draw().ToPage());
            problems.AddRange((await page.EvaluateAsync<string[]>(Hidden)).Select(p => $"{name}: {p}"));
            await page.EvaluateAsync("() => { document.querySelector('details').open = true; }");
            Assert.Equal("none", await page.EvaluateAsync<string>("getComputedStyle(document.querySelector('summary'), '::after').content"));
        }

        await page.CloseAsync();
        Assert.Empty(problems);
    }

    [RequiresFact(Tool.Chromium)]
    public async Task What_fits_on_a_page_of_paper_stands_on_one()
    {
        var page = await browser.OpenAsync();
        var folder = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "figures")).FullName;
        List<string> problems = [];
        foreach (var (name, draw) in Gallery.Real.Concat(Gallery.OfTeachingModel))
        {
            await page.SetContentAsync(draw().ToPage());
            foreach (var format in (string[])["A4", "Letter"])
            {
                foreach (var margin in (string[])["0", "1.5cm"])
                {
                    var paper = await page.PdfAsync(new() { Format = format, Margin = new() { Top = margin, Bottom = margin, Left = margin, Right = margin }, Path = Path.Combine(folder, $"{name}-{format}.pdf".ToLowerInvariant()) });
                    var pages = Page().Count(Encoding.Latin1.GetString(paper));
                    // A transformer's tape is several pages long.
                    if (name is "trained-tape" or "tape-transformer" ? pages is < 2 or > 4 : pages != 1) problems.Add($"{name}, {format}, margin {margin}: {pages} pages");
                }
            }
        }

        await page.CloseAsync();
        Assert.Empty(problems);
    }

    [RequiresFact(Tool.Chromium)]
    public async Task A_hundred_figures_live_in_one_page()
    {
        var page = await browser.OpenAsync();
        List<string> problems = [];
        page.Console += (_, message) => problems.Add(message.Text);
        page.PageError += (_, error) => problems.Add(error);
        var drawings = Gallery.All.Select(f => f.Value()).ToArray();
        var figures = Enumerable.Range(0, 100).Select(i => drawings[i % drawings.Length]).ToArray();
        await page.SetContentAsync(string.Concat(figures.Select(f => f.Html)));
        Assert.Equal(figures.Select(f => f.Title), await page.EvaluateAsync<string[]>("[...document.querySelectorAll('.gs')].filter(f => f.getBoundingClientRect().height > 50).map(f => f.querySelector('svg > title').textContent)"));
        Assert.Empty(problems);
        await page.CloseAsync();
    }

    [RequiresFact(Tool.Chromium)]
    public async Task Two_copies_of_an_output_look_alike_and_share_no_id()
    {
        // Where each mark of a copy stands in its drawing, and its colours.
        const string Looks = """
            copy => {
              const view = document.querySelectorAll('.gs-drawn')[copy], frame = view.getBoundingClientRect();
              return [...view.querySelectorAll('svg:not(.gs-narrow) :is(text,rect,path,circle)')].map(mark => {
                const box = mark.getBoundingClientRect(), style = getComputedStyle(mark);
                return [mark.tagName, ...[box.x - frame.x, box.y - frame.y, box.width, box.height].map(v => v.toFixed(1)), style.fill, style.stroke, style.opacity].join(' ');
              });
            }
            """;
        var page = await browser.OpenAsync();
        foreach (var draw in Gallery.Real.Values)
        {
            var html = draw().Html;
            await page.SetContentAsync(html + html);
            await page.WaitForFunctionAsync("document.querySelectorAll('.gs-on').length === document.querySelectorAll('[data-gradscope]').length");
            Assert.Equal(0, await page.EvaluateAsync<int>("{ const ids = [...document.querySelectorAll('[id]')].map(e => e.id); ids.length - new Set(ids).size }"));
            // One over the other: what differs then is not where they stand.
            await page.SetContentAsync(Still(string.Concat(Enumerable.Repeat($"<div style='position:absolute;inset:0'>{html}</div>", 2))));
            var (first, second) = (await page.EvaluateAsync<string[]>(Looks, 0), await page.EvaluateAsync<string[]>(Looks, 1));
            Assert.True(first.Length > 20);
            Assert.Equal(first, second);
        }

        await page.CloseAsync();
    }

    [RequiresFact(Tool.Chromium)]
    public async Task Hostile_names_stay_text()
    {
        var page = await browser.OpenAsync();
        foreach (var names in (ImmutableArray<string>[])[Synthetic.HostileTexts, Synthetic.OddTokens])
        {
            foreach (var figure in Synthetic.Named(names))
            {
                await page.SetContentAsync(figure.ToPage());
                await page.EvaluateAsync("() => { for (const details of document.querySelectorAll('details')) details.open = true; for (const e of document.querySelectorAll('[tabindex]')) e.focus(); }");
                Assert.Equal(
                    "false 0",
                    await page.EvaluateAsync<string>("`${'hit' in window} ${document.querySelectorAll('img,iframe,script:not(.gs>script),b,object,embed,[onerror],[onfocus],[autofocus],[href],[src]').length}`"));
            }
        }

        await page.CloseAsync();
    }

    [Theory]
    [InlineData("deep-model", "Of 12 blocks the first is drawn with its parts; each of the others has the same.")]
    [InlineData("deep-tape", "rows, in the table")]
    [InlineData("deep-flow", "Of 12 blocks the first and the last are drawn in full; all numbers are in the table.")]
    [InlineData("deep-attention", "256 × 256 numbers drawn as 64 × 64 cells")]
    [InlineData("deep-attention", "Small maps have at most 24 × 24 cells, thinned by the same rule.")]
    [InlineData("deep-predictions", "The first 48 of 256 positions are drawn; the table has all.")]
    [InlineData("deep-pattern", "256 × 256 numbers drawn as 64 × 64 cells")]
    public void Of_a_deep_model_what_is_thinned_is_told(string name, string told) => Assert.Contains(told, string.Join(' ', ContentTests.Texts(Gallery.Draw(name))));

    [GeneratedRegex(@"/Type /Page\b")]
    private static partial Regex Page();
}
