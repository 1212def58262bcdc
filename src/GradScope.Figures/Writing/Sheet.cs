namespace GradScope.Figures;

/// <summary>Where a text stands relative to its point.</summary>
internal enum Anchor
{
    Start,
    Middle,
    End,
}

/// <summary>A finished sheet and its size.</summary>
internal sealed record Drawing(Sheet Sheet, double Width, double Height)
{
    /// <summary>The kind of script that its pieces are for, where numbers for one do not say it; null for none.</summary>
    public string? Kind { get; init; }

    /// <summary>Rules by which its pieces lie in a page, where not one below the other; &amp; stands for the figure's own class.</summary>
    public string Layout { get; init; } = "";

    /// <summary>All of the picture in one.</summary>
    public Piece Whole => new(new(0, 0, ""), Width, Height, string.Concat(Pieces.Where(p => !p.From.IsApart).Select(p => p.Content)));

    /// <summary>What stands between one cut and the next.</summary>
    public IEnumerable<Piece> Pieces
    {
        get
        {
            Cut[] cuts = [new(0, 0, ""), .. Sheet.Cuts, new(Height, Sheet.Body.Length, "")];
            return cuts.Zip(cuts.Skip(1), (from, to) => new Piece(from, from.Width ?? Width, from.Height ?? to.Y - from.Y, Sheet.Body.Between(from.At, to.At)));
        }
    }
}

/// <summary>A part of a drawing, from one cut on.</summary>
internal sealed record Piece(Cut From, double Width, double Height, string Content);

/// <summary>Where one piece of a drawing ends and the next begins, such as a line across it where a page of paper may end.</summary>
/// <param name="Y">The top of what comes.</param>
/// <param name="At">How much of the sheet was written before it.</param>
/// <param name="Name">What comes.</param>
internal sealed record Cut(double Y, int At, string Name)
{
    /// <summary>The left of what comes.</summary>
    public double X { get; init; }

    /// <summary>Its width; null for the drawing's.</summary>
    public double? Width { get; init; }

    /// <summary>Its height; null where it ends at the next cut.</summary>
    public double? Height { get; init; }

    /// <summary>Its classes in a page, each after a space.</summary>
    public string Classes { get; init; } = "";

    /// <summary>Whether only a page has it, and the picture by itself does without.</summary>
    public bool IsApart { get; init; }
}

/// <summary>The surface a figure is drawn on: shapes and texts in pixels, y downwards.</summary>
internal sealed class Sheet(Theme theme)
{
    private Dictionary<(double X, string? Classes), List<(double Y, Markup Content)>>? columns;

    /// <summary>The blank margin of every figure.</summary>
    public const double Margin = 16;

    /// <summary>The width of what is drawn for a phone or a narrow pane.</summary>
    public const double Narrow = 360;

    /// <summary>Longer lines are tiring to read, and on a narrow screen they would have to be scrolled.</summary>
    private const double LongestLine = 640;

    public Theme Theme { get; } = theme;

    /// <summary>Whether marks tell more when a pointer rests on them. What a phone shows does without: it would double a figure's size.</summary>
    public bool HasTooltips { get; init; } = true;

    /// <summary>The surface of a drawing for narrow places.</summary>
    public static Sheet ForNarrow(Theme theme) => new(theme) { HasTooltips = false };

    /// <summary>What was drawn so far.</summary>
    public Markup Body { get; } = new();

    /// <summary>Where the drawing may be cut, from the top; none of most drawings.</summary>
    public List<Cut> Cuts { get; } = [];

    /// <summary>How much of a title's first lines is taken: where the figure's own drawing may start.</summary>
    public double Top { get; private set; } = Margin;

    /// <summary>The figure's title and the lines below it, each fitted to the width.</summary>
    public void Header(double width, string title, params ReadOnlySpan<string> lines)
    {
        Text(Margin, Top + 14, title, Face.Title, fit: width - 2 * Margin);
        Top += 22;
        foreach (var line in lines)
        {
            foreach (var part in TextWidth.Wrap(line, Face.Text, Math.Min(LongestLine, width - 2 * Margin), Theme))
            {
                Text(Margin, Top + 12, part, Face.Text.In(Tone.Muted), fit: width - 2 * Margin);
                Top += 17;
            }
        }

        Top += 8;
        Body.Line();
    }

    /// <summary>Small lines of explanation, broken to the width; answers the y below them.</summary>
    public double Notes(double x, double y, double width, params ReadOnlySpan<string> notes)
    {
        foreach (var note in notes)
        {
            foreach (var line in TextWidth.Wrap(note, Face.Note, Math.Min(LongestLine, width), Theme))
            {
                Text(x, y + 11, line, Face.Note, fit: width);
                y += 15;
            }
        }

        return y;
    }

    /// <summary>A text; where it is wider than <paramref name="fit"/> its middle is left out and the whole stands in its tooltip. A halo of paper keeps it legible on lines.</summary>
    public void Text(double x, double y, string text, Face face, Anchor anchor = Anchor.Start, double fit = double.PositiveInfinity, string? title = null, double turn = 0, bool halo = false)
    {
        var shown = double.IsInfinity(fit) ? text : TextWidth.Fit(text, face, fit, Theme);
        var content = new Markup();
        Tooltip(content, title ?? (shown == text ? null : text));
        content.Characters(shown);
        Place(content, x, y, Classes(face, anchor, halo), turn == 0 ? null : PathOf($"rotate({turn} {x} {y})"));
    }

    /// <summary>Texts of different looks one after the other on a line, as far as they fit.</summary>
    public void Spans(double x, double y, double fit, params ReadOnlySpan<(string Text, Face Face)> spans)
    {
        var whole = "";
        foreach (var (text, _) in spans) whole += text;
        var content = new Markup();
        Tooltip(content, spans.Length > 0 && WidthOf(spans) > fit ? whole : null);
        foreach (var (text, face) in spans)
        {
            var shown = TextWidth.Fit(text, face, fit, Theme);
            content.Element("tspan", shown, ("class", Classes(face, Anchor.Start, halo: false)));
            fit -= TextWidth.Of(shown, face, Theme);
            if (shown != text) break;
        }

        Place(content, x, y, null);
    }

    /// <summary>Keeps the texts from here on, to write those of a column together: what they share is said once.</summary>
    public void BeginColumns() => columns = [];

    /// <summary>Writes the columns that were kept.</summary>
    public void EndColumns()
    {
        var kept = columns ?? [];
        columns = null;
        foreach (var ((x, classes), texts) in kept)
        {
            if (texts is [var (y, only)])
            {
                Place(only, x, y, classes);
                continue;
            }

            using (Group(x, classes: classes))
            {
                foreach (var (below, content) in texts)
                {
                    using (Body.Open("text", ("y", below))) Body.Append(content);
                }
            }

            Body.Line();
        }
    }

    public double WidthOf(string text, Face face) => TextWidth.Of(text, face, Theme);

    public double WidthOf(params ReadOnlySpan<(string Text, Face Face)> spans)
    {
        var width = 0.0;
        foreach (var (text, face) in spans) width += WidthOf(text, face);
        return width;
    }

    public void Rect(double x, double y, double width, double height, string classes, double radius = 0, double opacity = 1, string? title = null) =>
        Shape("rect", title, ("x", x), ("y", y), ("width", Math.Max(0, width)), ("height", Math.Max(0, height)), ("rx", radius == 0 ? null : Numbers.Coordinate(radius)), ("class", classes), Opacity(opacity));

    public void Circle(double x, double y, double radius, string classes, string? title = null) =>
        Shape("circle", title, ("cx", x), ("cy", y), ("r", radius), ("class", classes));

    /// <summary>A straight line.</summary>
    public void Line(double x1, double y1, double x2, double y2, Tone tone, double width = 1, string? dash = null) =>
        Curve($"M{x1} {y1}L{x2} {y2}", tone, width, dash);

    /// <summary>A line along a path.</summary>
    public void Curve(PathText path, Tone tone, double width = 1, string? dash = null, double opacity = 1, string? title = null) =>
        Shape("path", title, ("d", path.ToString()), ("class", tone.Stroke()), ("stroke-width", width == 1 ? null : Numbers.Coordinate(width)), ("stroke-dasharray", dash), Opacity(opacity));

    /// <summary>A path that looks as its group says.</summary>
    public void Path(PathText path, string? title = null) => Shape("path", title, ("d", path.ToString()));

    /// <summary>A filled path.</summary>
    public void Area(PathText path, Tone tone, double opacity = 1, string? title = null) =>
        Shape("path", title, ("d", path.ToString()), ("class", tone.Fill()), Opacity(opacity));

    /// <summary>A group of marks, moved and perhaps of a class; closes when disposed. What is not drawn waits for a script.</summary>
    public Markup.Scope Group(double x = 0, double y = 0, string? classes = null, string? title = null, bool isDrawn = true)
    {
        var scope = Body.Open("g", ("transform", (x, y) == (0, 0) ? null : y == 0 ? PathOf($"translate({x})") : PathOf($"translate({x} {y})")), ("class", classes), ("display", isDrawn ? null : "none"));
        Tooltip(Body, title);
        return scope;
    }

    /// <summary>A path's data as text, for paths that are put together piece by piece.</summary>
    public static string PathOf(PathText text) => text.ToString();

    private static Attribute Opacity(double opacity) => ("opacity", opacity == 1 ? null : Numbers.Coordinate(opacity));

    private static string? Classes(Face face, Anchor anchor, bool halo)
    {
        var classes = (face.Classes + (anchor switch { Anchor.Middle => " c", Anchor.End => " e", _ => "" }) + (halo ? " halo" : "")).TrimStart();
        return classes.Length == 0 ? null : classes;
    }

    private void Place(Markup content, double x, double y, string? classes, string? turn = null)
    {
        if (columns is not null && turn is null)
        {
            if (!columns.TryGetValue((x, classes), out var column)) columns.Add((x, classes), column = []);
            column.Add((y, content));
            return;
        }

        using (Body.Open("text", ("x", x), ("y", y), ("class", classes), ("transform", turn))) Body.Append(content);
    }

    private void Shape(string name, string? title, params ReadOnlySpan<Attribute> attributes)
    {
        if (title is null || !HasTooltips)
        {
            Body.Empty(name, attributes);
            return;
        }

        using (Body.Open(name, attributes))
        {
            Tooltip(Body, title);
        }
    }

    private void Tooltip(Markup element, string? text)
    {
        if (text is not null && HasTooltips) element.Element("title", text);
    }
}
