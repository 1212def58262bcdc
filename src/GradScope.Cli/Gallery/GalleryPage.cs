using GradScope.Figures;

namespace GradScope.Cli;

/// <summary>The gallery in one appearance; pages link to each other.</summary>
/// <param name="File">The page's file.</param>
/// <param name="Label">What a link to it says.</param>
/// <param name="Theme">The appearance, or null for the system's.</param>
internal sealed record GalleryPage(string File, string Label, string? Theme)
{
    private const string Ground = "--paper:#fff;--ink:#1f2328;--muted:#656d76;--line:#d0d7de;--link:#2b6cb0;color-scheme:light";
    private const string DarkGround = "--paper:#0d1117;--ink:#e6edf3;--muted:#9198a1;--line:#3d444d;--link:#6cb0f5;color-scheme:dark";
    private const string Style =
        $":root,[data-theme=light]{{{Ground}}}@media(prefers-color-scheme:dark){{:root{{{DarkGround}}}}}[data-theme=dark]{{{DarkGround}}}"
        + "body{margin:0;padding:24px 16px 64px;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,'Segoe UI',Helvetica,Arial,sans-serif}"
        + "main,header{max-width:1144px;margin:0 auto}h1{font-size:1.8rem;margin:0 0 4px}h2{position:absolute;width:1px;height:1px;margin:0;overflow:hidden;clip-path:inset(50%)}p{max-width:72ch;margin:0 0 12px}"
        + "a{color:var(--link);text-underline-offset:2px}a:focus-visible{outline:2px solid var(--link);outline-offset:2px}nav{margin:8px 0 0;font-size:14px}nav a,nav strong{margin-right:14px}"
        + "section{margin-top:44px;padding-top:20px;border-top:1px solid var(--line)}code{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;color:var(--muted)}"
        + "@media print{nav{display:none}section{break-before:page}}";

    /// <summary>All appearances, the system's first.</summary>
    public static IReadOnlyList<GalleryPage> All { get; } = [new("index.html", "as the system", null), new("light.html", "light", "light"), new("dark.html", "dark", "dark")];

    public string Render(IReadOnlyList<Exhibit> exhibits)
    {
        var page = new Markup();
        page.DocumentType();
        using (page.Open("html", ("lang", "en"), ("data-theme", Theme)))
        {
            using (page.Open("head"))
            {
                page.Empty("meta", ("charset", "utf-8"));
                page.Empty("meta", ("name", "viewport"), ("content", "width=device-width,initial-scale=1"));
                page.Element("title", "GradScope: all figures");
                page.Style(Style);
            }

            page.Line();
            using var body = page.Open("body");
            using (page.Open("header")) Head(page, exhibits);
            using (page.Open("main"))
            {
                foreach (var exhibit in exhibits) Show(page, exhibit);
            }
        }

        page.Line();
        return page.ToString();
    }

    private void Head(Markup page, IReadOnlyList<Exhibit> exhibits)
    {
        page.Element("h1", "Backpropagation you can see");
        page.Element("p", "Every figure that GradScope draws, each from one small transformer that was trained while this page was written: 2 layers of 2 heads, width 16, which learns how names go on. All numbers are its own.");
        using (page.Open("nav", ("aria-label", "Appearance")))
        {
            foreach (var other in All)
            {
                if (other == this) page.Element("strong", other.Label);
                else page.Element("a", other.Label, ("href", other.File));
            }
        }

        using var contents = page.Open("nav", ("aria-label", "Figures"));
        foreach (var exhibit in exhibits) page.Element("a", exhibit.Figure.Title, ("href", "#" + exhibit.Name));
    }

    private static void Show(Markup page, Exhibit exhibit)
    {
        page.Line();
        using var section = page.Open("section", ("id", exhibit.Name));
        // The drawing shows its title itself; the heading is for those who go by headings.
        page.Element("h2", exhibit.Figure.Title);
        using (page.Open("p"))
        {
            page.Characters(exhibit.Caption + " ");
            page.Element("code", exhibit.Code);
        }

        page.AppendFinished(exhibit.Figure.Html);
    }
}
