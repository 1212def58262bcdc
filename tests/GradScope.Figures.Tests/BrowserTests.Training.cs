using GradScope.Testing;
using Microsoft.Playwright;

namespace GradScope.Figures.Tests;

/// <summary>A training whose steps are zoomed.</summary>
public sealed partial class BrowserTests
{
    /// <summary>What is seen of the steps in a figure: the range in words, the axis's numbers, and where on the screen a step's point of the first curve stands, the marks, and the line of what is read.</summary>
    private sealed class Seen
    {
        public string Range { get; set; } = "";

        public string[] Ticks { get; set; } = [];

        public float[] TickPlaces { get; set; } = [];

        public float[] Points { get; set; } = [];

        public float[] MarkWidths { get; set; } = [];

        public float Left { get; set; }

        public float Right { get; set; }

        public float Line { get; set; }

        public string Drawn { get; set; } = "";
    }

    private const string See = """
        root => {
          const svg = [...root.querySelectorAll('.gs-drawn>svg')].find(s => s.checkVisibility());
          const centre = e => { const b = e.getBoundingClientRect(); return b.left + b.width / 2; };
          const strip = svg.querySelector('[data-along]'), curve = strip.querySelector('path');
          const clip = svg.querySelector('[data-ticks]').previousElementSibling.getBoundingClientRect();
          let x = 0;
          const points = [...curve.getAttribute('d').matchAll(/([Ml])(-?[\d.]+) /g)].map(([, kind, by]) => x = kind === 'M' ? +by : x + +by);
          const texts = [...svg.querySelectorAll('[data-ticks] text')];
          return {
            range: root.querySelector('.gs-bar span').textContent, ticks: texts.map(t => t.textContent), tickPlaces: texts.map(centre),
            points: points.map(p => new DOMPoint(p, 0).matrixTransform(curve.getScreenCTM()).x),
            markWidths: [...svg.querySelectorAll('[data-along]>:is(circle,path:not([stroke-linejoin]))')].map(m => m.getBoundingClientRect().width),
            left: clip.left, right: clip.right, line: centre(root.querySelector('.gs-mark')), drawn: svg.innerHTML,
          };
        }
        """;

    [RequiresFact(Tool.Chromium)]
    public async Task Steps_are_zoomed_by_a_drag_and_still_read()
    {
        var run = Trained.Teaching.Run;
        var html = run.ToFigure().Html;
        foreach (var width in (int[])[1000, 380])
        {
            // Of two copies of one figure the second stays as it is.
            var page = await browser.ShowAsync(html + html, width);
            var figure = page.Locator(".gs").First;
            var tip = figure.Locator(".gs-tip");
            var first = await SeeAsync(figure);
            var copy = await SeeAsync(page.Locator(".gs").Last);
            Assert.Equal("Drag across to zoom.", first.Range);
            Assert.Equal(200, first.Points.Length);

            var top = (await figure.Locator("[data-map]:visible").BoundingBoxAsync())!.Y;
            await page.Mouse.MoveAsync(first.Points[119], top + 60);
            await page.Mouse.DownAsync();
            await page.Mouse.MoveAsync(first.Points[150], top + 60);
            await page.Mouse.MoveAsync(first.Points[179], top + 60);
            // The selection is shaded from where it began to where it is.
            var shade = (await figure.Locator(".gs-mark").BoundingBoxAsync())!;
            Assert.Equal(first.Points[119], shade.X, 1.5f);
            Assert.Equal(first.Points[179], shade.X + shade.Width, 1.5f);
            await ShootAsync("selected");
            await page.Mouse.UpAsync();
            await Assertions.Expect(figure.Locator("[role=status]")).ToHaveTextAsync("steps 120 to 180 of 200");

            var zoomed = await SeeAsync(figure);
            Assert.Equal("steps 120 to 180 of 200", zoomed.Range);
            Assert.Equal(["130", "140", "150", "160", "170", "180"], zoomed.Ticks);
            Assert.Equal(zoomed.Left, zoomed.Points[119], 0.5f);
            Assert.Equal(zoomed.Right, zoomed.Points[179], 0.5f);
            Assert.All(zoomed.Ticks.Zip(zoomed.TickPlaces), t => Assert.Equal(zoomed.Points[int.Parse(t.First, null) - 1], t.Second, 1f));
            Assert.All(first.MarkWidths.Zip(zoomed.MarkWidths), m => Assert.Equal(m.First, m.Second, 0.2f));
            Assert.NotEmpty(zoomed.MarkWidths);
            Assert.Equal(0, await figure.Locator("[data-ends] text:visible").CountAsync());
            Assert.Empty(await page.EvaluateAsync<string[]>(Collisions));
            Assert.Equal(copy, await SeeAsync(page.Locator(".gs").Last), Same);

            // Where a step's point is drawn, there its numbers are read.
            foreach (var step in (int[])[120, 121, 133, 150, 179, 180])
            {
                await page.Mouse.MoveAsync(Math.Clamp(zoomed.Points[step - 1], zoomed.Left + 1, zoomed.Right - 1), top + 90);
                await Assertions.Expect(tip).ToHaveTextAsync(Told(run, step), new() { UseInnerText = true });
                Assert.Equal(zoomed.Points[step - 1], (await SeeAsync(figure)).Line, 1f);
            }

            await ShootAsync("zoomed");
            // Outside of the range nothing is read.
            await page.Mouse.MoveAsync(zoomed.Right + 12, top + 90);
            await Assertions.Expect(tip).ToBeHiddenAsync();
            await page.Mouse.DblClickAsync(zoomed.Points[150], top + 60);
            Assert.Equal(first.Drawn, (await SeeAsync(figure)).Drawn);
            Assert.Equal(first.Points, (await SeeAsync(figure)).Points);
            await browser.CloseAsync(page);

            async Task ShootAsync(string what)
            {
                foreach (var scheme in (ColorScheme[])[ColorScheme.Dark, ColorScheme.Light])
                {
                    await page.EmulateMediaAsync(new() { ColorScheme = scheme });
                    await figure.ScreenshotAsync(new() { Path = Path.Combine(Repository.Root, "artifacts", "figures", $"training-{what}-{scheme}-{width}.png".ToLowerInvariant()) });
                }
            }
        }
    }

    [RequiresFact(Tool.Chromium, Tool.AxeCore)]
    public async Task Steps_are_zoomed_by_buttons_and_by_keys()
    {
        var run = Trained.Teaching.Run;
        foreach (var width in (int[])[1000, 380])
        {
            var page = await browser.ShowAsync($"<main>{run.ToFigure().Html}</main>", width);
            var figure = page.Locator(".gs");
            var status = page.Locator("[role=status]");
            var first = await SeeAsync(figure);

            // By buttons: about the middle, half a range on, and no further than there are steps.
            foreach (var (button, range) in ((string, string)[])
                [("Zoom in", "50 to 150"), ("Zoom in", "75 to 125"), ("Later", "100 to 150"), ("Earlier", "75 to 125"), ("Zoom out", "50 to 150"), ("Later", "100 to 200"), ("Later", "100 to 200"), ("All steps", "0 to 200"), ("Zoom out", "0 to 200")])
            {
                await page.GetByRole(AriaRole.Button, new() { Name = button }).PressAsync("Enter");
                await Assertions.Expect(status).ToHaveTextAsync($"steps {range} of 200");
            }

            Assert.Equal(first.Drawn, (await SeeAsync(figure)).Drawn);

            // By keys: about the step that is read, at least five steps.
            var place = page.Locator("[data-map]:visible");
            await place.FocusAsync();
            await page.Keyboard.PressAsync("End");
            foreach (var _ in Enumerable.Range(0, 60)) await page.Keyboard.PressAsync("ArrowLeft");
            foreach (var range in (string[])["90 to 190", "115 to 165", "128 to 153", "134 to 147", "137 to 144", "138 to 143", "138 to 143"])
            {
                await page.Keyboard.PressAsync("+");
                await Assertions.Expect(status).ToHaveTextAsync($"steps {range} of 200");
                await Assertions.Expect(page.Locator(".gs-tip")).ToHaveTextAsync(Told(run, 140), new() { UseInnerText = true });
                var seen = await SeeAsync(figure);
                Assert.Equal(seen.Points[139], seen.Line, 1f);
                Assert.All(seen.Ticks, t => Assert.True(int.TryParse(t, out int _), t));
                Assert.InRange(seen.Ticks.Length, 2, 7);
            }

            // Past an edge the range goes along.
            foreach (var _ in Enumerable.Range(0, 5)) await page.Keyboard.PressAsync("ArrowRight");
            await Assertions.Expect(status).ToHaveTextAsync(Told(run, 145).Replace("\n", ", "));
            var moved = await SeeAsync(figure);
            Assert.Equal("steps 140 to 145 of 200", moved.Range);
            Assert.Equal(moved.Right, moved.Line, 1f);
            await page.AddScriptTagAsync(new() { Path = Tool.AxeScript });
            Assert.Empty(await page.EvaluateAsync<string[]>("async () => (await axe.run(document.querySelector('main'))).violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.failureSummary} ${n.html.slice(0, 160)}`))"));
            await page.Keyboard.PressAsync("Home");
            Assert.Equal("steps 1 to 6 of 200", (await SeeAsync(figure)).Range);
            await page.Keyboard.PressAsync("-");
            Assert.Equal("steps 0 to 10 of 200", (await SeeAsync(figure)).Range);

            await page.Keyboard.PressAsync("Escape");
            await Assertions.Expect(page.Locator(".gs-tip")).ToBeHiddenAsync();
            Assert.Equal(first.Drawn, (await SeeAsync(figure)).Drawn);
            await page.Keyboard.PressAsync("+");
            await page.Keyboard.PressAsync("0");
            Assert.Equal(first.Drawn, (await SeeAsync(figure)).Drawn);
            await browser.CloseAsync(page);
        }
    }

    [RequiresFact(Tool.Chromium)]
    public async Task A_long_training_is_zoomed_by_the_steps_that_are_read_and_a_short_one_not_at_all()
    {
        foreach (var width in (int[])[1000, 380])
        {
            // Every eleventh of 5,003 steps is read; two losses are no number.
            var run = Synthetic.LongRun(Trained.Plain.Run, 5003);
            var page = await browser.ShowAsync(run.ToFigure().Html, width);
            var figure = page.Locator(".gs");
            var first = await SeeAsync(figure);
            await page.Locator("[data-map]:visible").FocusAsync();
            await page.Keyboard.PressAsync("End");
            foreach (var _ in Enumerable.Range(0, 9)) await page.Keyboard.PressAsync("+");
            var seen = await SeeAsync(figure);
            Assert.Equal("steps 4,948 to 5,003 of 5,003", seen.Range);
            Assert.All(first.MarkWidths.Zip(seen.MarkWidths), m => Assert.Equal(m.First, m.Second, 0.2f));
            var (from, to) = (seen.Left, seen.Right);
            Assert.All(seen.Ticks.Zip(seen.TickPlaces), t => Assert.Equal(from + (int.Parse(t.First.Replace(",", ""), null) - 4948) / 55f * (to - from), t.Second, 1f));
            await Assertions.Expect(page.Locator(".gs-tip")).ToContainTextAsync("step 4994");
            Assert.Equal(from + (4994 - 4948) / 55f * (to - from), seen.Line, 1f);
            await page.Keyboard.PressAsync("0");
            Assert.Equal(first.Drawn, (await SeeAsync(figure)).Drawn);
            await browser.CloseAsync(page);
        }

        var few = Trained.Plain.Run with { Metrics = Trained.Plain.Run.Metrics[..5] };
        var short_ = await browser.ShowAsync(few.ToFigure().Html);
        await short_.Locator("[data-map]:visible").FocusAsync();
        await short_.Keyboard.PressAsync("End");
        await Assertions.Expect(short_.Locator("[role=status]")).ToHaveTextAsync(Told(few, 5).Replace("\n", ", "));
        await Assertions.Expect(short_.Locator(".gs-bar")).ToHaveCountAsync(0);
        await browser.CloseAsync(short_);
    }

    private static Task<Seen> SeeAsync(ILocator figure) => figure.EvaluateAsync<Seen>(See);

    private static bool Same(Seen a, Seen b) => a.Drawn == b.Drawn && a.Range == b.Range && a.Points.SequenceEqual(b.Points);
}
