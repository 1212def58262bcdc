using GradScope.Notebooks;

namespace GradScope.Testing.Sample;

/// <summary>Stands for a library that cells use and that shows its work.</summary>
public static class Library
{
    public static object? Last { get; set; }

    public static int Loads { get; set; }

    public static void Work() => CellContext.Current!.Display("at work").Update("done");
}

public sealed record Shape(int Sides);
