using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>
/// Estimates how wide a text will be, from coarse widths of a wide face (DejaVu Sans), so that nothing touches in the
/// narrower faces of most systems. A figure is drawn before anyone knows the reader's font.
/// </summary>
internal static class TextWidth
{
    public const double MonoAdvance = 0.605;

    public static double Of(string text, Face face, Theme theme)
    {
        var width = 0.0;
        foreach (var rune in text.EnumerateRunes())
        {
            width += Advance(rune, face.Mono);
        }

        return width * theme.SizeOf(face.Size) * (face.Bold && !face.Mono ? 1.1 : 1);
    }

    /// <summary>The text, or as much of its start and end as fits, with an ellipsis in the middle. Letters are never cut apart.</summary>
    public static string Fit(string text, Face face, double width, Theme theme)
    {
        if (Of(text, face, theme) <= width) return text;

        var elements = new List<string>();
        for (var all = StringInfo.GetTextElementEnumerator(text); all.MoveNext();)
        {
            elements.Add(all.GetTextElement());
        }

        var left = width - Of("…", face, theme);
        int first = 0, last = elements.Count;
        while (first < last)
        {
            var takeFirst = first <= elements.Count - last;
            left -= Of(takeFirst ? elements[first] : elements[last - 1], face, theme);
            if (left < 0) break;
            if (takeFirst) first++;
            else last--;
        }

        return string.Concat(elements.Take(first)) + "…" + string.Concat(elements.Skip(last));
    }

    /// <summary>Breaks a text at spaces into lines no wider than <paramref name="width"/>; a dot between facts stays at the end of its line.</summary>
    public static IEnumerable<string> Wrap(string text, Face face, double width, Theme theme)
    {
        var line = new StringBuilder();
        foreach (var word in text.Replace(" · ", "\u00a0· ", StringComparison.Ordinal).Split(' '))
        {
            if (line.Length > 0 && Of($"{line} {word}", face, theme) > width)
            {
                yield return line.ToString();
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : "").Append(word);
        }

        yield return line.ToString();
    }

    private static double Advance(Rune rune, bool mono)
    {
        var c = rune.Value;
        if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format) return 0;
        if (c >= 0x1100 && IsWide(c)) return 1.3;
        if (mono) return MonoAdvance;
        if (c < 128) return Ascii((char)c);

        return c switch
        {
            '·' or '’' or '‘' => 0.35,
            '…' or '—' => 1.0,
            >= 0x2070 and <= 0x209F or '¹' or '²' or '³' => 0.45,
            >= 0x2190 and <= 0x23FF => 0.86,
            >= 0x2500 and <= 0x2BFF => 0.95,
            _ => 0.68,
        };
    }

    private static double Ascii(char c) => c switch
    {
        'i' or 'j' or 'l' or 'I' or 'J' or '\'' or '|' => 0.31,
        ' ' or '.' or ',' or ':' or ';' or '/' or '\\' or 'f' or '[' or ']' or '-' => 0.36,
        't' or '!' or '(' or ')' or 'r' or '"' => 0.44,
        'c' or 's' or 'z' or '?' or '*' or 'L' or 'F' => 0.57,
        'm' or 'W' or 'M' or '%' or '@' => 0.99,
        'w' or '+' or '=' or '<' or '>' or '#' or '~' or '^' => 0.84,
        >= 'A' and <= 'Z' => 0.76,
        _ => 0.64,
    };

    // CJK, Hangul, full-width forms and emoji.
    private static bool IsWide(int c) => c is <= 0x115F or (>= 0x2E80 and <= 0xA4CF) or (>= 0xAC00 and <= 0xD7A3)
        or (>= 0xF900 and <= 0xFAFF) or (>= 0xFE30 and <= 0xFE6F) or (>= 0xFF00 and <= 0xFF60) or (>= 0x1F000 and <= 0x3FFFD);
}
