using System.IO.Compression;
using System.Runtime.InteropServices;
using GradScope.Testing;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace GradScope.Notebooks.Tests;

/// <summary>
/// A folder of packages that a test makes, and a notebook folder whose NuGet.config knows that one source alone, so no test
/// needs a network. What a restore unpacks lies in the notebook folder too.
/// </summary>
public sealed class PackageFeed : IDisposable
{
    private readonly Scratch scratch = new();

    public PackageFeed()
    {
        Directory.CreateDirectory(Source);
        scratch.Write("notebooks/NuGet.config", $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="{Unpacked}" /></config>
              <packageSources><clear /><add key="feed" value="{Source}" /></packageSources>
            </configuration>
            """);
    }

    /// <summary>Where the packages lie.</summary>
    public string Source => Path.Combine(scratch.Folder, "feed");

    /// <summary>Where a restore unpacks them.</summary>
    public string Unpacked => Path.Combine(scratch.Folder, "unpacked");

    /// <summary>Where the notebooks would lie.</summary>
    public string Folder => Path.Combine(scratch.Folder, "notebooks");

    public string Cache => Path.Combine(scratch.Folder, "cache");

    public SessionOptions Options => new() { Folder = Folder, PackageCache = Cache };

    /// <summary>Adds a package with an assembly of its name.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="version">Its version.</param>
    /// <param name="code">The assembly's code.</param>
    /// <param name="needs">What it depends on, as "Id version".</param>
    /// <param name="extension">Its extension.dib.</param>
    /// <param name="library">A native library for this machine, and the name it is to have.</param>
    /// <param name="framework">A shared framework that it needs.</param>
    /// <param name="satellite">An assembly's culture and bytes.</param>
    /// <param name="folder">Where it is put, the feed unless said otherwise.</param>
    public void Add(string id, string version, string code, string[]? needs = null, string? extension = null, (string Path, string Name)? library = null,
        string? framework = null, (string Culture, byte[] Assembly)? satellite = null, string? folder = null)
    {
        using var file = ZipFile.Open(Path.Combine(folder ?? Source, $"{id}.{version}.nupkg"), ZipArchiveMode.Create);
        var dependencies = string.Concat((needs ?? []).Select(need => $"<dependency id=\"{need.Split(' ')[0]}\" version=\"{need.Split(' ')[1]}\" />"));
        Write(file, $"{id}.nuspec", $"""
            <package><metadata><id>{id}</id><version>{version}</version><authors>tests</authors><description>For tests.</description>
            <dependencies><group targetFramework="net10.0">{dependencies}</group></dependencies>
            <frameworkReferences><group targetFramework="net10.0">{(framework is null ? "" : $"<frameworkReference name=\"{framework}\" />")}</group></frameworkReferences></metadata></package>
            """);
        var assembly = CSharpCompilation.Create(id, [CSharpSyntaxTree.ParseText(code)],
            [MetadataReference.CreateFromFile(typeof(object).Assembly.Location), MetadataReference.CreateFromFile(typeof(Console).Assembly.Location),
                MetadataReference.CreateFromFile(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "System.Runtime.dll"))],
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));
        using (var stream = file.CreateEntry($"lib/net10.0/{id}.dll").Open())
        {
            using var bytes = new MemoryStream();
            Assert.True(assembly.Emit(bytes).Success);
            stream.Write(bytes.ToArray());
        }
        if (satellite is { } words)
        {
            using var stream = file.CreateEntry($"lib/net10.0/{words.Culture}/{id}.resources.dll").Open();
            stream.Write(words.Assembly);
        }
        if (extension is not null)
            Write(file, "interactive-extensions/dotnet/extension.dib", extension);
        if (library is { } native)
            file.CreateEntryFromFile(native.Path, $"runtimes/{RuntimeInformation.RuntimeIdentifier}/native/{native.Name}");
    }

    public void Dispose() => scratch.Dispose();

    private static void Write(ZipArchive file, string name, string text)
    {
        using var writer = new StreamWriter(file.CreateEntry(name).Open());
        writer.Write(text);
    }
}
