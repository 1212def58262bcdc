namespace GradScope.Figures;

/// <summary>Tokens as readers see them.</summary>
internal static class TokenText
{
    /// <summary>The token with its spaces and line ends made visible, and ∅ for an empty one.</summary>
    public static string Show(string token) => token.Length == 0 ? "∅" : token.Replace(' ', '␣').Replace('\n', '⏎').Replace('\t', '⇥');
}
