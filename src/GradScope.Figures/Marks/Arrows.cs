namespace GradScope.Figures;

/// <summary>Arrow heads and the like, which tell a direction without a colour.</summary>
internal static class Arrows
{
    /// <summary>An open arrow head with its tip at (x, y), pointing along (dx, dy), one of which is ±1.</summary>
    public static void Head(Sheet sheet, double x, double y, int dx, int dy, Tone tone, double size = 4, double width = 1.8) =>
        sheet.Curve($"M{x - size * (dx + dy)} {y - size * (dy + dx)}L{x} {y}L{x - size * (dx - dy)} {y - size * (dy - dx)}", tone, width);
}
