using System.IO.Enumeration;

namespace GradScope;

public sealed partial class MiniTransformer
{
    private string FrozenWords => Parameters.Where(p => p.IsFrozen).Sum(p => p.Shape.ElementCount) is > 0 and var frozen
        ? FormattableString.Invariant($", {frozen:N0} of them frozen")
        : "";

    /// <summary>
    /// Keeps parameters as they are from the next pass on: backward computes no gradient for them, nor for what leads to them alone, and
    /// an optimiser changes them in no way, not by weight decay either. <c>model.Freeze("blocks.0.attn.*")</c>
    /// </summary>
    /// <param name="pattern">Parameter names, * standing for any characters and ? for one.</param>
    /// <returns>This model.</returns>
    /// <exception cref="ArgumentException">No parameter has such a name.</exception>
    public MiniTransformer Freeze(string pattern) => SetFrozen(pattern, frozen: true, nameof(Freeze));

    /// <summary>Lets frozen parameters learn again, from the next pass on.</summary>
    /// <param name="pattern">Parameter names, * standing for any characters and ? for one.</param>
    /// <returns>This model.</returns>
    /// <exception cref="ArgumentException">No parameter has such a name.</exception>
    public MiniTransformer Unfreeze(string pattern) => SetFrozen(pattern, frozen: false, nameof(Unfreeze));

    private MiniTransformer SetFrozen(string pattern, bool frozen, string word)
    {
        var matching = Parameters.Where(p => FileSystemName.MatchesSimpleExpression(pattern, p.Name, ignoreCase: false)).ToList();
        if (matching.Count == 0)
        {
            throw new ArgumentException($"{word}: no parameter matches '{pattern}'; the names are {string.Join(", ", Parameters.Select(p => p.Name))}. * stands for any characters, so 'blocks.0.*' is a whole block.");
        }

        matching.ForEach(p => p.SetFrozen(frozen));
        return this;
    }
}
