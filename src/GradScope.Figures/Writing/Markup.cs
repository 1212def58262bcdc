using System.Text;

namespace GradScope.Figures;

/// <summary>
/// Writes SVG and HTML. No other part of GradScope writes an angle bracket: elements are opened and closed here, texts and
/// attributes are escaped here, and numbers get their invariant, rounded form here.
/// </summary>
internal sealed class Markup
{
    private readonly StringBuilder text = new();

    /// <summary>Opens an element that closes when the scope is disposed.</summary>
    public Scope Open(string name, params ReadOnlySpan<Attribute> attributes)
    {
        Start(name, attributes);
        text.Append('>');
        return new(this, name);
    }

    /// <summary>An element without content.</summary>
    public void Empty(string name, params ReadOnlySpan<Attribute> attributes)
    {
        Start(name, attributes);
        text.Append("/>");
    }

    /// <summary>An element with a text in it.</summary>
    public void Element(string name, string content, params ReadOnlySpan<Attribute> attributes)
    {
        using (Open(name, attributes))
        {
            Escape(content);
        }
    }

    /// <summary>Text inside the element that is open.</summary>
    public void Characters(string content) => Escape(content);

    /// <summary>A style sheet; it is written as it stands and must hold no markup.</summary>
    public void Style(string css)
    {
        if (css.AsSpan().IndexOfAny('<', '&') >= 0)
        {
            throw new ArgumentException("Theme: a colour or font contains '<' or '&', which cannot stand in a style sheet; use a CSS colour such as #2b6cb0.");
        }

        text.Append("<style>").Append(css).Append("</style>");
    }

    /// <summary>A script; in a section that XML takes as text, and behind comment signs for HTML, which takes any script so.</summary>
    public void Script(string script)
    {
        if (script.Contains("]]>", StringComparison.Ordinal) || script.Contains("</", StringComparison.Ordinal))
        {
            throw new ArgumentException("The script contains ']]>' or '</', which would end it in a page.");
        }

        text.Append("<script>//<![CDATA[\n").Append(script).Append("//]]></script>");
    }

    /// <summary>Another writer's finished markup.</summary>
    public void Append(Markup other) => text.Append(other.text);

    /// <summary>How much is written, in characters.</summary>
    public int Length => text.Length;

    /// <summary>What was written between two lengths, which stand between elements.</summary>
    public string Between(int from, int to) => text.ToString(from, to - from);

    /// <summary>A finished SVG, or another root element that a Markup wrote.</summary>
    public void AppendFinished(string markup) => text.Append(markup);

    /// <summary>The line that makes a page of an HTML element.</summary>
    public void DocumentType() => text.Append("<!doctype html>\n");

    /// <summary>A line break between elements, to keep files readable in a diff.</summary>
    public void Line() => text.Append('\n');

    public override string ToString() => text.ToString();

    private void Start(string name, ReadOnlySpan<Attribute> attributes)
    {
        text.Append('<').Append(name);
        foreach (var (key, value) in attributes)
        {
            if (value is not null)
            {
                text.Append(' ').Append(key).Append("=\"");
                Escape(value);
                text.Append('"');
            }
        }
    }

    /// <summary>Escapes what markup gives a meaning to, and shows what XML forbids (control characters, half surrogate pairs) as a picture of it.</summary>
    private void Escape(string content)
    {
        for (var i = 0; i < content.Length; i++)
        {
            var c = content[i];
            _ = c switch
            {
                '&' => text.Append("&amp;"),
                '<' => text.Append("&lt;"),
                '>' => text.Append("&gt;"),
                '"' => text.Append("&quot;"),
                '\'' => text.Append("&#39;"),
                < ' ' => text.Append((char)('␀' + c)),
                '\x7f' => text.Append('␡'),
                _ when char.IsHighSurrogate(c) && i + 1 < content.Length && char.IsLowSurrogate(content[i + 1]) => text.Append(c).Append(content[++i]),
                _ when char.IsSurrogate(c) || c >= '\uFFFE' => text.Append('�'),
                _ => text.Append(c),
            };
        }
    }

    private void Close(string name) => text.Append("</").Append(name).Append('>');

    /// <summary>An element that is still open.</summary>
    public readonly ref struct Scope(Markup markup, string name)
    {
        public void Dispose() => markup.Close(name);
    }
}

/// <summary>An attribute; one without a value is not written.</summary>
internal readonly record struct Attribute(string Name, string? Value)
{
    public static implicit operator Attribute((string Name, string? Value) pair) => new(pair.Name, pair.Value);

    public static implicit operator Attribute((string Name, double Value) pair) => new(pair.Name, Numbers.Coordinate(pair.Value));
}
