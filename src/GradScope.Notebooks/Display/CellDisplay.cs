using Microsoft.AspNetCore.Html;

namespace GradScope.Notebooks;

/// <summary>The words that every cell knows without a <c>using</c>, named as .NET Interactive names them.</summary>
public static class CellDisplay
{
    /// <summary>Shows a value in the running cell, in the MIME types asked for or else those its type prefers.</summary>
    /// <exception cref="InvalidOperationException">No cell is running.</exception>
    public static DisplayHandle display(object? value, params string[] mimeTypes) =>
        (CellContext.Current ?? throw new InvalidOperationException(
            "display: no cell is running here; call it from a notebook cell or from what a cell calls"))
        .Display(value, mimeTypes);

    /// <inheritdoc cref="display"/>
    public static DisplayHandle Display<T>(this T value, params string[] mimeTypes) => display(value, mimeTypes);

    /// <summary>Shows a text as what it is, for instance <c>text/markdown</c>.</summary>
    public static DisplayHandle DisplayAs(this string text, string mimeType) => display(text, mimeType);

    /// <summary>Text that is HTML already, to be shown as it stands.</summary>
    public static IHtmlContent HTML(string content) => new HtmlString(content);
}
