namespace GradScope.Interactive;

/// <summary>What a live output shows at one moment, as HTML and in words.</summary>
internal sealed record LiveView(string Html, string Text);
