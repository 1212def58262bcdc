using System.Globalization;
using System.Text;
using GradScope.Figures;

namespace GradScope;

/// <summary>A finished drawing: the same picture as SVG, as HTML with its numbers, and in words. It never changes.</summary>
public sealed class Figure
{
    private readonly Theme theme;

    private Figure(string title, string svg, string html, string text, Theme theme) =>
        (Title, Svg, Html, Text, this.theme) = (title, svg, html, text, theme);

    /// <summary>What is shown, in a few words.</summary>
    public string Title { get; }

    /// <summary>The drawing by itself: a complete SVG document with its own style, readable in the light and in the dark.</summary>
    public string Svg { get; }

    /// <summary>One element to put into any page or notebook: the drawing, and its exact numbers in a folded table. It needs no script and no network.</summary>
    public string Html { get; }

    /// <summary>The main facts in plain text, for a terminal or a screen reader.</summary>
    public string Text { get; }

    /// <summary>Writes a complete HTML page; an existing file is replaced only when the whole page is there.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveHtml(string path) => Save(path, ToPage());

    /// <summary>Writes the SVG document; an existing file is replaced only when the whole drawing is there.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveSvg(string path) => Save(path, Svg);

    /// <summary>The same as <see cref="Text"/>.</summary>
    public override string ToString() => Text;

    /// <summary>A complete HTML page of the figure.</summary>
    internal string ToPage()
    {
        var page = new Markup();
        page.DocumentType();
        using (page.Open("html", ("lang", "en")))
        {
            using (page.Open("head"))
            {
                page.Empty("meta", ("charset", "utf-8"));
                page.Empty("meta", ("name", "viewport"), ("content", "width=device-width,initial-scale=1"));
                page.Element("title", Title);
                page.Style($":root{{color-scheme:light dark}}body{{margin:16px;background:{theme.Light.Paper}}}h1{{position:absolute;width:1px;height:1px;margin:0;overflow:hidden;clip-path:inset(50%)}}@media(prefers-color-scheme:dark){{body{{background:{theme.Dark.Paper}}}}}@media print{{body{{margin:0;background:none}}}}");
            }

            page.Line();
            using (page.Open("body"))
            using (page.Open("main"))
            {
                // The drawing shows its title itself; the heading is for those who go by headings.
                page.Element("h1", Title);
                page.AppendFinished(Html);
            }
        }

        page.Line();
        return page.ToString();
    }

    /// <summary>Puts a drawing, its description and its numbers together.</summary>
    internal static Figure From(Sheet sheet, double width, double height, string title, string text, params IReadOnlyList<DataTable> tables) =>
        From(sheet, width, height, title, text, null, tables);

    /// <summary>The same with what a script needs to make more of it; the drawing is complete without.</summary>
    internal static Figure From(Sheet sheet, double width, double height, string title, string text, Payload? payload, IReadOnlyList<DataTable> tables) =>
        From(new(sheet, width, height), null, title, text, payload, tables);

    /// <summary>The same with a second drawing of all that the first shows, for where that is too wide, and perhaps where its rows lie.</summary>
    internal static Figure From(Drawing drawing, Drawing? narrow, string title, string text, Payload? payload, IReadOnlyList<DataTable> tables, string? rows = null)
    {
        var kind = payload?.Kind ?? (rows is null ? drawing.Kind : "rows");
        var theme = drawing.Sheet.Theme;
        var numbers = new Markup();
        foreach (var table in tables)
        {
            table.Write(numbers);
        }

        // The prefix follows from what is shown: two figures on a page never share it, and a figure keeps it from run to run.
        var bytes = payload?.ToBytes() ?? [];
        var root = "gs-" + Fingerprint([.. Encoding.UTF8.GetBytes($"{title}\n{text}\n{drawing.Sheet.Body}\n{numbers}"), .. bytes]);
        var style = StyleSheet.ForDrawing(root, theme, $"{drawing.Sheet.Body}{narrow?.Sheet.Body}", kind is null ? [] : FigureScript.ClassesOf(kind));
        var svg = Write(root, style, title, Opening(text), drawing.Whole);

        var html = new Markup();
        using (html.Open(
            "div", ("class", $"{root} gs"),
            ("data-gradscope", kind is null ? null : FigureScript.MarkOf(kind)), ("data-numbers", payload is null ? null : Payload.Pack(bytes)), ("data-rows", rows)))
        {
            html.Style(StyleSheet.ForPage(root, theme, drawing.Width, drawing.Height, narrow?.Width, tables.Select(t => t.TextColumns)) + drawing.Layout.Replace("&", "." + root, StringComparison.Ordinal) + (kind is null ? "" : FigureScript.Style(kind, root, theme)));
            using (html.Open("div", ("class", "gs-view gs-drawn"), ("tabindex", "0"), ("role", "region"), ("aria-label", title)))
            {
                html.AppendFinished(drawing.Sheet.Cuts.Count == 0 ? svg : Pieces(drawing, root, style));
                if (narrow is not null) html.AppendFinished(Pieces(narrow, root + " gs-narrow", style: null));
            }

            if (tables.Count > 0)
            {
                using (html.Open("details"))
                {
                    html.Element("summary", "Numbers");
                    using (html.Open("div", ("class", "gs-view"), ("tabindex", "0"), ("role", "region"), ("aria-label", "Numbers: " + title)))
                    {
                        html.Append(numbers);
                    }
                }
            }

            if (kind is not null) html.Script(FigureScript.For(kind));
        }

        return new(title, svg, html.ToString(), text, theme);

        // In a page each piece between two cuts is an element of its own: paper is broken between them.
        string Pieces(Drawing drawn, string classes, string? style) => string.Concat(drawn.Pieces.Select((piece, i) =>
            Write(classes + piece.From.Classes, i == 0 ? style : null, i == 0 ? title : piece.From.Name, i == 0 ? Opening(text) : null, piece)));
    }

    private static string Write(string classes, string? style, string title, string? description, Piece piece)
    {
        var (left, top, width, height) = (Numbers.Coordinate(piece.From.X), Numbers.Coordinate(piece.From.Y), Numbers.Coordinate(piece.Width), Numbers.Coordinate(piece.Height));
        var markup = new Markup();
        using (markup.Open(
            "svg", ("xmlns", "http://www.w3.org/2000/svg"), ("viewBox", $"{left} {top} {width} {height}"),
            ("width", width), ("height", height), ("class", classes), ("role", "img")))
        {
            // Name and description by their elements alone: an id would be there twice where an output is.
            markup.Element("title", title);
            if (description is not null) markup.Element("desc", description);
            if (style is not null) markup.Style(style);
            markup.Line();
            markup.Empty("rect", ("x", piece.From.X == 0 ? null : left), ("y", piece.From.Y == 0 ? null : top), ("width", width), ("height", height), ("class", Tone.Paper.Fill()));
            markup.AppendFinished(piece.Content);
        }

        return markup.ToString();
    }

    /// <summary>8 hexadecimal digits that follow from the bytes: FNV-1a (Fowler, Noll, Vo), folded. What is told apart are figures, not foes.</summary>
    private static string Fingerprint(ReadOnlySpan<byte> bytes)
    {
        var hash = 14695981039346656037;
        foreach (var b in bytes) hash = (hash ^ b) * 1099511628211;
        return ((uint)(hash ^ hash >> 32)).ToString("x8", CultureInfo.InvariantCulture);
    }

    /// <summary>The description a screen reader meets with the picture: the text's first lines, without its lists.</summary>
    private static string Opening(string text) => string.Join('\n', text.Split('\n').TakeWhile(line => !line.StartsWith("  ", StringComparison.Ordinal))).TrimEnd(':');

    private static void Save(string path, string content)
    {
        var full = Path.GetFullPath(path);
        var temporary = $"{full}.{Guid.NewGuid():N}.tmp";
        try
        {
            File.WriteAllText(temporary, content, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
            File.Move(temporary, full, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
