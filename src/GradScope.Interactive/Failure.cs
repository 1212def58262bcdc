using System.Net;

namespace GradScope.Interactive;

/// <summary>What is shown in place of a picture that could not be made: an exception would end the user's whole cell.</summary>
internal static class Failure
{
    public static (string Html, string Text) Show(string what, Exception exception)
    {
        var text = $"GradScope could not draw {what}: {exception.Message}";
        return ($"<pre style=\"white-space:pre-wrap\">{WebUtility.HtmlEncode(text)}</pre>", text);
    }
}
