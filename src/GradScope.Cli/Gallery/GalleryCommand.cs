using System.CommandLine;
using System.Globalization;
using GradScope.Notebooks;

namespace GradScope.Cli;

/// <summary><c>gradscope gallery</c>: every figure with real data, as pages to look at.</summary>
internal static class GalleryCommand
{
    private const int Steps = 200;

    public static Command Create(ToolConsole console)
    {
        var folder = new Option<string>("--html") { Description = "Write the gallery to this folder: index.html, and the same in the light and in the dark.", HelpName = "DIR", Required = true };
        var command = new Command("gallery", """
            Trains a small transformer for a few seconds, the same each time, and writes a page of every figure of it, with a line
            on what to look for. The pages need no network.

            Exit codes: 0 the pages are written; 2 the folder cannot be written.
            """)
        {
            folder,
        };
        command.SetAction(parsed => Write(parsed.GetValue(folder)!, console));
        return command;
    }

    private static int Write(string folder, ToolConsole console)
    {
        try
        {
            if (File.Exists(folder)) throw new IOException($"{folder} is a file; name a folder");

            console.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Training a transformer on names for {Steps} steps …"));
            var exhibits = Exhibit.All(Showcase.Train(ReadNames(), Showcase.TeachingSize, Steps, frameEvery: 5));
            foreach (var page in GalleryPage.All) AtomicFile.WriteAllText(Path.Combine(folder, page.File), page.Render(exhibits));
            console.Output.WriteLine($"{exhibits.Count} figures to look at:");
            foreach (var page in GalleryPage.All) console.Output.WriteLine($"  {Path.Combine(folder, page.File)}");
            return ExitCode.Passed;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            console.Error.WriteLine(fault.Message);
            return ExitCode.BadInput;
        }
    }

    private static Names ReadNames()
    {
        using var reader = new StreamReader(typeof(GalleryCommand).Assembly.GetManifestResourceStream("names.txt")!);
        return new(reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }
}
