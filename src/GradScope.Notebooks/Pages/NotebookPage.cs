using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Markdig;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace GradScope.Notebooks;

/// <summary>A page of a folder of lessons: the file beside the index, and what the index says of it.</summary>
/// <param name="File">The file's name.</param>
/// <param name="Title">The lesson's title.</param>
/// <param name="Summary">Its first paragraph, as plain text; may be empty.</param>
/// <param name="Passed">Whether every cell ran.</param>
public sealed record LessonLink(string File, string Title, string Summary, bool Passed);

/// <summary>
/// A notebook as one HTML file: styles, pictures and outputs inside, nothing from a network, light or dark as the reader's
/// system says, and fit to print.
/// </summary>
public static partial class NotebookPage
{
    private static readonly MarkdownPipeline markdown = new MarkdownPipelineBuilder()
        .UsePipeTables().UseEmphasisExtras().UseAutoIdentifiers().UseFootnotes().UseTaskLists().UseAutoLinks().Build();

    private static readonly Lazy<string> style = new(() =>
    {
        using var stream = typeof(NotebookPage).Assembly.GetManifestResourceStream("page.css")!;
        return new StreamReader(stream).ReadToEnd();
    });

    /// <summary>Renders a notebook with the outputs that it has.</summary>
    /// <param name="notebook">The notebook.</param>
    /// <param name="folder">Where the notebook lies: pictures beside it are taken into the page.</param>
    /// <param name="previous">The lesson before, if there is one.</param>
    /// <param name="next">The lesson after.</param>
    /// <param name="index">The file name of the lessons' index.</param>
    public static string Render(NotebookDocument notebook, string folder, LessonLink? previous = null, LessonLink? next = null, string? index = null)
    {
        var body = new StringBuilder();
        foreach (var cell in notebook.Cells)
        {
            if (cell.Kind == CellKind.Markdown)
                body.Append("<section class=\"text\">\n").Append(Markdown(cell, folder)).Append("</section>\n");
            else if (cell.Kind == CellKind.Code && (cell.Source.Trim().Length > 0 || cell.Outputs.Count > 0))
                AppendCode(body, cell);
        }
        var top = index is null ? "" : $"<nav class=\"top\"><a href=\"{Html.Escape(index)}\">All lessons</a></nav>\n";
        var around = Around(previous, next);
        return Page(notebook.Title, $"{top}<main>\n{body}</main>\n{around}");
    }

    /// <summary>The page that lists a folder's lessons.</summary>
    public static string RenderIndex(string title, IReadOnlyList<LessonLink> lessons)
    {
        var body = new StringBuilder($"<main>\n<section class=\"text\"><h1>{Html.Escape(title)}</h1></section>\n<ol class=\"lessons\">\n");
        foreach (var lesson in lessons)
        {
            body.Append($"<li><a href=\"{Html.Escape(Uri.EscapeDataString(lesson.File))}\">{Html.Escape(lesson.Title)}</a>");
            if (!lesson.Passed)
                body.Append(" <span class=\"failed\">a cell failed</span>");
            if (lesson.Summary.Length > 0)
                body.Append($"<p>{Html.Escape(lesson.Summary)}</p>");
            body.Append("</li>\n");
        }
        return Page(title, body.Append("</ol>\n</main>\n").ToString());
    }

    /// <summary>The first paragraph of a notebook's text, for the index.</summary>
    public static string Summary(NotebookDocument notebook)
    {
        var paragraph = notebook.Cells
            .Where(cell => cell.Kind == CellKind.Markdown)
            .SelectMany(cell => Markdig.Markdown.Parse(cell.Source, markdown).Descendants<ParagraphBlock>()
                .Select(block => cell.Source.Substring(block.Span.Start, block.Span.Length)))
            .FirstOrDefault();
        return paragraph is null ? "" : Markdig.Markdown.ToPlainText(paragraph, markdown).Trim().ReplaceLineEndings(" ");
    }

    private static string Page(string title, string body) => $"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>{Html.Escape(title)}</title>
        <style>
        {style.Value}</style>
        </head>
        <body>
        {body}</body>
        </html>

        """;

    private static string Around(LessonLink? previous, LessonLink? next)
    {
        if (previous is null && next is null)
            return "";
        return $"<nav class=\"around\">{Link(previous, "previous", "Before")}{Link(next, "next", "Next")}</nav>\n";

        static string Link(LessonLink? lesson, string rel, string label) => lesson is null ? "<span></span>"
            : $"<a rel=\"{rel}\" href=\"{Html.Escape(Uri.EscapeDataString(lesson.File))}\"><small>{label}</small>{Html.Escape(lesson.Title)}</a>";
    }

    private static void AppendCode(StringBuilder body, NotebookCell cell)
    {
        body.Append("<section class=\"code\">\n");
        if (cell.Source.Trim().Length > 0)
        {
            var count = cell.ExecutionCount?.ToString(CultureInfo.InvariantCulture) ?? " ";
            var code = cell.Language is null or "csharp" ? CSharpHighlighter.ToHtml(cell.Source) : Html.Escape(cell.Source);
            body.Append($"<div class=\"input\"><span class=\"count\" title=\"execution count\">{count}</span><pre><code>{code}</code></pre></div>\n");
        }
        foreach (var output in cell.Outputs.OfType<JsonObject>())
            AppendOutput(body, output);
        body.Append("</section>\n");
    }

    private static void AppendOutput(StringBuilder body, JsonObject output)
    {
        switch (output["output_type"]?.ToString())
        {
            case "stream":
                var name = output["name"]?.ToString() == "stderr" ? "stderr" : "stdout";
                body.Append($"<pre class=\"output {name}\">{Html.Console(NotebookJson.Text(output["text"]))}</pre>\n");
                break;
            case "error":
                var message = output["evalue"]?.ToString() ?? "";
                var traceback = string.Join('\n', (output["traceback"] as JsonArray)?.Select(line => line?.ToString() ?? "") ?? []);
                if (!traceback.Contains(message, StringComparison.Ordinal))
                    traceback = $"{message}\n{traceback}";
                body.Append($"<div class=\"output error\" role=\"alert\"><strong>{Html.Escape(output["ename"]?.ToString() ?? "Error")}</strong>")
                    .Append($"<pre>{Html.Console(traceback)}</pre></div>\n");
                break;
            case "display_data" or "execute_result":
                AppendData(body, output["data"] as JsonObject ?? []);
                break;
        }
    }

    /// <summary>The richest form that a page can show by itself.</summary>
    private static void AppendData(StringBuilder body, JsonObject data)
    {
        if (data["text/html"] is { } html)
            body.Append("<div class=\"output rich\">").Append(NotebookJson.Text(html)).Append("</div>\n");
        else if (data["image/svg+xml"] is { } svg)
            body.Append("<div class=\"output rich\">").Append(XmlProlog().Replace(NotebookJson.Text(svg), "")).Append("</div>\n");
        else if (Picture(data) is { } picture)
            body.Append($"<div class=\"output rich\"><img alt=\"{Html.Escape(NotebookJson.Text(data["text/plain"]))}\" src=\"{picture}\"></div>\n");
        else if (data["text/markdown"] is { } text)
            body.Append("<div class=\"output text\">").Append(Markdig.Markdown.ToHtml(NotebookJson.Text(text), markdown)).Append("</div>\n");
        else if (data["text/plain"] is { } plain)
            body.Append($"<pre class=\"output value\">{Html.Console(NotebookJson.Text(plain))}</pre>\n");
        else if (data.FirstOrDefault() is { Key: { } key, Value: { } other })
            body.Append($"<pre class=\"output value\" title=\"{Html.Escape(key)}\">{Html.Escape(other is JsonArray ? NotebookJson.Text(other) : other.ToJsonString())}</pre>\n");
    }

    private static string? Picture(JsonObject data)
    {
        var mimeType = new[] { "image/png", "image/jpeg", "image/gif" }.FirstOrDefault(type => data[type] is not null);
        return mimeType is null ? null : $"data:{mimeType};base64,{Html.Escape(NotebookJson.Text(data[mimeType]).ReplaceLineEndings(""))}";
    }

    private static string Markdown(NotebookCell cell, string folder)
    {
        var document = Markdig.Markdown.Parse(cell.Source, markdown);
        foreach (var link in document.Descendants<LinkInline>().Where(link => link.IsImage).ToList())
        {
            if (Embedded(link.Url ?? "", cell, folder) is { } data)
                link.Url = data;
            else if (IsRemote(link.Url))
                // A page loads nothing by itself: a picture on the web becomes a link to it.
                link.IsImage = false;
        }
        foreach (var code in document.Descendants<FencedCodeBlock>().Where(code => code.Info is "csharp" or "cs" or "c#" or "C#").ToList())
        {
            var html = $"<pre><code>{CSharpHighlighter.ToHtml(code.Lines.ToString())}</code></pre>\n";
            var parent = code.Parent!;
            var place = parent.IndexOf(code);
            parent.RemoveAt(place);
            parent.Insert(place, new HtmlBlock(null!) { Type = HtmlBlockType.NonInterruptingBlock, Lines = new(html) });
        }
        return Markdig.Markdown.ToHtml(document, markdown);
    }

    private static bool IsRemote(string? url) => url is not null && (url.Contains("://", StringComparison.Ordinal) || url.StartsWith("//", StringComparison.Ordinal));

    private static string? Embedded(string url, NotebookCell cell, string folder)
    {
        if (url.StartsWith("attachment:", StringComparison.Ordinal))
            return NotebookJson.At(cell.Attachments, Uri.UnescapeDataString(url["attachment:".Length..])) is JsonObject forms ? Picture(forms) : null;
        if (IsRemote(url) || url.StartsWith("data:", StringComparison.Ordinal))
            return null;
        var file = Path.Combine(folder, Uri.UnescapeDataString(url));
        var mimeType = Path.GetExtension(file).ToLowerInvariant() switch
        {
            ".png" => "image/png",
            ".jpg" or ".jpeg" => "image/jpeg",
            ".gif" => "image/gif",
            ".webp" => "image/webp",
            ".svg" => "image/svg+xml",
            _ => null,
        };
        return mimeType is null || !File.Exists(file) ? null : $"data:{mimeType};base64,{Convert.ToBase64String(File.ReadAllBytes(file))}";
    }

    [GeneratedRegex(@"^\s*(<\?xml[^>]*\?>|<!DOCTYPE[^>]*>|\s)+", RegexOptions.IgnoreCase)]
    private static partial Regex XmlProlog();
}
