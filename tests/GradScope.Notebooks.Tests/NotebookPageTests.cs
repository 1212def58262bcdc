using System.Text.RegularExpressions;
using GradScope.Testing;

namespace GradScope.Notebooks.Tests;

public sealed partial class NotebookPageTests
{
    [Fact]
    public void Text_of_every_kind_is_escaped()
    {
        var page = NotebookPage.Render(Parse("""
            {"id":"a","cell_type":"code","execution_count":1,"metadata":{},"source":"// <script>a</script>\nvar s = \"<b>\"; s < \"&\"",
             "outputs":[{"output_type":"stream","name":"stdout","text":"<i>&\u001b[31mred\u001b[0m"},
                        {"output_type":"error","ename":"E<x>","evalue":"m<y>","traceback":["t<z>"]},
                        {"output_type":"display_data","metadata":{},"data":{"text/plain":"<plain>"}}]}
            """), ".");
        Assert.DoesNotContain("<script>", page);
        Assert.Contains("<span class=\"comment\">// &lt;script&gt;a&lt;/script&gt;</span>", page);
        Assert.Contains("<span class=\"string\">&quot;&lt;b&gt;&quot;</span>", page);
        Assert.Contains("&lt;i&gt;&amp;red</pre>", page);
        Assert.Contains("E&lt;x&gt;", page);
        Assert.Contains("m&lt;y&gt;\nt&lt;z&gt;", page);
        Assert.Contains("&lt;plain&gt;", page);
    }

    [Fact]
    public void HTML_outputs_stand_as_they_are_and_come_before_plain_text()
    {
        var page = NotebookPage.Render(Parse("""
            {"id":"a","cell_type":"code","execution_count":1,"metadata":{},"source":"x",
             "outputs":[{"output_type":"execute_result","execution_count":1,"metadata":{},"data":{"text/plain":"PLAIN","text/html":["<svg>","</svg>"]}},
                        {"output_type":"display_data","metadata":{},"data":{"image/png":"QUJD\nREVG","text/plain":"a picture"}},
                        {"output_type":"display_data","metadata":{},"data":{"image/svg+xml":"<?xml version=\"1.0\"?>\n<svg id=\"s\"></svg>"}},
                        {"output_type":"display_data","metadata":{},"data":{"text/markdown":"*soft*"}}]}
            """), ".");
        Assert.Contains("<svg></svg>", page);
        Assert.DoesNotContain("PLAIN", page);
        Assert.Contains("<img alt=\"a picture\" src=\"data:image/png;base64,QUJDREVG\">", page);
        Assert.Contains("<div class=\"output rich\"><svg id=\"s\"></svg>", page);
        Assert.Contains("<em>soft</em>", page);
    }

    [Fact]
    public void A_page_loads_nothing_from_anywhere()
    {
        using var scratch = new Scratch();
        scratch.Write("pic.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
        var page = NotebookPage.Render(Parse("""
            {"id":"a","cell_type":"markdown","metadata":{},"source":"# A *title*\n![far](https://example.org/x.png) ![near](pic.svg) ![own](attachment:dot.png)\n\n[link](https://example.org)",
             "attachments":{"dot.png":{"image/png":"QUJD"}}}
            """), scratch.Folder);
        Assert.Empty(Loads().Matches(page));
        Assert.Contains("<a href=\"https://example.org/x.png\">far</a>", page);
        Assert.Contains("src=\"data:image/svg+xml;base64,", page);
        Assert.Contains("src=\"data:image/png;base64,QUJD\"", page);
        Assert.Contains("<title>A title</title>", page);
    }

    [Fact]
    public void A_carriage_return_overwrites_its_line_as_on_a_terminal()
    {
        var page = NotebookPage.Render(Parse("""
            {"id":"a","cell_type":"code","execution_count":1,"metadata":{},"source":"x","outputs":[{"output_type":"stream","name":"stdout","text":"step 1\rstep 22\rs\r\nend"}]}
            """), ".");
        Assert.Contains("<pre class=\"output stdout\">step 22\nend</pre>", page);
    }

    [Fact]
    public void CSharp_shown_in_text_is_coloured_as_in_cells()
    {
        var page = NotebookPage.Render(Parse("""{"id":"a","cell_type":"markdown","metadata":{},"source":"```csharp\nvar n = Math.Sqrt(2); // root\n```"}"""), ".");
        Assert.Contains("<span class=\"keyword\">var</span> n = <span class=\"type\">Math</span>.<span class=\"call\">Sqrt</span>(<span class=\"number\">2</span>); <span class=\"comment\">// root</span>", page);
    }

    [Theory]
    [InlineData("#r \"nuget: X\"\nvar a = $\"{1:0} {b}\"; // c")]
    [InlineData("#!time\nclass C<T> { int P => @\"x\".Length; }")]
    [InlineData("if (")]
    [InlineData("\"\"\"\n  raw\n  \"\"\" \t")]
    [InlineData("/* open")]
    public void Colouring_loses_no_character(string code) =>
        Assert.Equal(Html.Escape(code), Tags().Replace(CSharpHighlighter.ToHtml(code), ""));

    [Fact]
    public void The_index_links_lessons_by_title_and_marks_failed_ones()
    {
        var index = NotebookPage.RenderIndex("Lessons", [new("a b.html", "One <1>", "About one.", true), new("c.html", "Two", "", false)]);
        Assert.Contains("<a href=\"a%20b.html\">One &lt;1&gt;</a><p>About one.</p>", index);
        Assert.Contains("<a href=\"c.html\">Two</a> <span class=\"failed\">a cell failed</span>", index);
    }

    [Fact]
    public void A_lesson_links_its_neighbours()
    {
        var page = NotebookPage.Render(Parse("""{"id":"a","cell_type":"raw","metadata":{},"source":""}"""), ".",
            previous: new("1.html", "One", "", true), next: new("3.html", "Three", "", true), index: "index.html");
        Assert.Contains("<a rel=\"previous\" href=\"1.html\"><small>Before</small>One</a>", page);
        Assert.Contains("<a rel=\"next\" href=\"3.html\"><small>Next</small>Three</a>", page);
        Assert.Contains("<a href=\"index.html\">All lessons</a>", page);
    }

    private static NotebookDocument Parse(string cell) =>
        NotebookDocument.Parse($$"""{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{{cell}}]}""", "page.ipynb");

    [GeneratedRegex("""(src|srcset|poster|data)\s*=\s*["']?(https?:)?//|<link|@import|url\(|<script""", RegexOptions.IgnoreCase)]
    private static partial Regex Loads();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tags();
}
