using System.Text;

namespace GradScope.Notebooks;

/// <summary>Writes a file beside its target and moves it there, so that a reader never meets half of one.</summary>
public static class AtomicFile
{
    /// <summary>
    /// Replaces <paramref name="path"/> by <paramref name="text"/> in UTF-8 without a mark, making its folder where it is
    /// missing. Whatever goes wrong, the file that was there stays whole and nothing is left beside it.
    /// </summary>
    /// <exception cref="IOException">The folder or the file cannot be written.</exception>
    public static void WriteAllText(string path, string text)
    {
        var target = Path.GetFullPath(path);
        if (File.Exists(target))
            target = File.ResolveLinkTarget(target, returnFinalTarget: true)?.FullName ?? target;
        var folder = Path.GetDirectoryName(target)!;
        Directory.CreateDirectory(folder);

        var temporary = Path.Combine(folder, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}.tmp");
        try
        {
            File.WriteAllText(temporary, text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
            if (!OperatingSystem.IsWindows() && File.Exists(target))
                File.SetUnixFileMode(temporary, File.GetUnixFileMode(target));
            File.Move(temporary, target, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
