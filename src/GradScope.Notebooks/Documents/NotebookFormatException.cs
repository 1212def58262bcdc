namespace GradScope.Notebooks;

/// <summary>A notebook file that cannot be read as one. The message names the file, the place, the fault and the remedy.</summary>
public sealed class NotebookFormatException(string file, string fault, string remedy, Exception? cause = null)
    : Exception($"{file}: {fault}. {remedy}", cause);
