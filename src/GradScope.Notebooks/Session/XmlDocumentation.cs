using System.Globalization;
using System.Text;
using Microsoft.CodeAnalysis;

namespace GradScope.Notebooks;

/// <summary>
/// Finds what a member's documentation says, without holding any: a file of several megabytes is searched for the one
/// member in a few milliseconds, which is asked for by a person.
/// </summary>
internal sealed class XmlDocumentation(string assembly) : DocumentationProvider
{
    private readonly string assembly = assembly;

    /// <summary>The documentation of the framework that an SDK brings along; null where there is no SDK.</summary>
    private static readonly Lazy<string?> frameworkFolder = new(FindFrameworkFolder);

    private static string RuntimeFolder => Path.GetDirectoryName(typeof(object).Assembly.Location)!;

    public override bool Equals(object? obj) => obj is XmlDocumentation other && other.assembly == assembly;

    public override int GetHashCode() => assembly.GetHashCode(StringComparison.Ordinal);

    protected override string GetDocumentationForSymbol(string documentationMemberID, CultureInfo preferredCulture, CancellationToken cancellationToken = default)
    {
        var start = Encoding.UTF8.GetBytes($"<member name=\"{documentationMemberID}\"");
        foreach (var file in Files())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Member(File.ReadAllBytes(file), start) is { } member)
                return member;
        }
        return "";
    }

    private static string? Member(ReadOnlySpan<byte> file, ReadOnlySpan<byte> start)
    {
        var end = "</member>"u8;
        var from = file.IndexOf(start);
        if (from < 0)
            return null;
        var length = file[from..].IndexOf(end);
        return length < 0 ? null : Encoding.UTF8.GetString(file.Slice(from, length + end.Length));
    }

    /// <summary>Types of the framework are documented in the assemblies that programs refer to, which are not those that they are in.</summary>
    private IEnumerable<string> Files()
    {
        var name = Path.GetFileNameWithoutExtension(assembly) + ".xml";
        if (Path.GetDirectoryName(assembly) != RuntimeFolder)
        {
            var beside = Path.Combine(Path.GetDirectoryName(assembly)!, name);
            return File.Exists(beside) ? [beside] : [];
        }
        return frameworkFolder.Value is { } folder
            ? Directory.EnumerateFiles(folder, "*.xml").OrderByDescending(file => Path.GetFileName(file) == name)
            : [];
    }

    private static string? FindFrameworkFolder()
    {
        var version = Environment.Version;
        var packs = Path.Combine(RuntimeFolder, "..", "..", "..", "packs", "Microsoft.NETCore.App.Ref");
        return Directory.Exists(packs)
            ? Directory.EnumerateDirectories(packs, $"{version.Major}.*")
                .Select(pack => Path.Combine(pack, "ref", $"net{version.Major}.{version.Minor}"))
                .LastOrDefault(Directory.Exists)
            : null;
    }
}
