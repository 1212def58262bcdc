using System.Diagnostics;
using System.IO.Compression;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;
using GradScope.Testing;

namespace GradScope.Interactive.Tests;

/// <summary>The package as users get it: packed anew from the sources, then opened.</summary>
public sealed class PackageTests(PackageTests.Packed packed) : IClassFixture<PackageTests.Packed>
{
    [Fact]
    public void It_carries_the_assembly_its_words_the_extension_and_the_readme()
    {
        using var package = ZipFile.OpenRead(packed.Path);
        var entries = package.Entries.Select(e => e.FullName).ToList();
        foreach (var expected in (string[])["lib/net10.0/GradScope.Interactive.dll", "lib/net10.0/GradScope.Interactive.xml", "interactive-extensions/dotnet/extension.dib", "README.md"])
        {
            Assert.Contains(expected, entries);
        }

        Assert.Equal(["lib/net10.0/GradScope.Interactive.dll"], entries.Where(e => e.EndsWith(".dll", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_extension_calls_what_the_assembly_has_and_shows_its_own_errors()
    {
        using var package = ZipFile.OpenRead(packed.Path);
        using var reader = new StreamReader(package.GetEntry("interactive-extensions/dotnet/extension.dib")!.Open());
        var dib = reader.ReadToEnd();
        Assert.StartsWith("#!csharp", dib);
        Assert.Contains($"{typeof(GradScopeExtension).FullName}.{nameof(GradScopeExtension.Load)}()", dib);
        Assert.Contains("catch (System.Exception", dib);

        // A runtime exception is swallowed by the host, a using line would have to come first, and a variable would leak into the notebook.
        Assert.DoesNotContain("using ", dib);
        Assert.DoesNotContain("var ", dib);
    }

    [Fact]
    public void It_depends_on_these_packages_and_no_others_of_the_archived_host()
    {
        using var package = ZipFile.OpenRead(packed.Path);
        using var nuspec = package.Entries.Single(e => e.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        var document = XDocument.Load(nuspec);
        var dependencies = document.Descendants().Where(e => e.Name.LocalName == "dependency").ToDictionary(e => e.Attribute("id")!.Value, e => e.Attribute("version")!.Value);
        Assert.Equal(
            ["Fable.Core", "Google.Protobuf", "GradScope.Figures", "GradScope.Tokenizers", "Microsoft.AspNetCore.Html.Abstractions", "Microsoft.DotNet.Interactive.Formatting", "Microsoft.ML.Tokenizers", "Newtonsoft.Json", "Plotly.NET", "System.Numerics.Tensors", "XPlot.Plotly"],
            dependencies.Keys.Order(StringComparer.Ordinal));

        // Google.Protobuf, Microsoft.ML.Tokenizers and System.Numerics.Tensors come through the others; they are named since their versions are pinned.
        Assert.Equal("1.0.0-beta.23562.1", dependencies["Microsoft.DotNet.Interactive.Formatting"]);
        Assert.Equal("4.1.0", dependencies["XPlot.Plotly"]);
        Assert.Equal("13.0.4", dependencies["Newtonsoft.Json"]);
    }

    [Fact]
    public void The_packed_assembly_binds_to_the_formatters_of_that_version_and_to_nothing_else_of_the_host()
    {
        using var package = ZipFile.OpenRead(packed.Path);
        using var assembly = new MemoryStream();
        package.GetEntry("lib/net10.0/GradScope.Interactive.dll")!.Open().CopyTo(assembly);
        assembly.Position = 0;
        using var image = new PEReader(assembly);
        var metadata = image.GetMetadataReader();
        var references = metadata.AssemblyReferences.Select(handle => metadata.GetAssemblyReference(handle).GetAssemblyName()).ToList();
        var host = Assert.Single(references, r => r.Name!.StartsWith("Microsoft.DotNet.Interactive", StringComparison.Ordinal));
        Assert.Equal(typeof(Microsoft.DotNet.Interactive.Formatting.Formatter).Assembly.GetName().FullName, host.FullName);
        Assert.Contains("1.0.0-beta.23562.1", typeof(Microsoft.DotNet.Interactive.Formatting.Formatter).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion);

        // Each member of it that is used exists there: the runtime would find out in the middle of a notebook.
        var formatting = typeof(Microsoft.DotNet.Interactive.Formatting.Formatter).Assembly;
        var used = 0;
        foreach (var handle in metadata.MemberReferences)
        {
            var member = metadata.GetMemberReference(handle);
            if (member.Parent.Kind == HandleKind.TypeReference && metadata.GetTypeReference((TypeReferenceHandle)member.Parent) is var type
                && type.ResolutionScope.Kind == HandleKind.AssemblyReference
                && metadata.GetString(metadata.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope).Name) == host.Name)
            {
                var owner = formatting.GetType($"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}", throwOnError: true)!;
                Assert.NotEmpty(owner.GetMember(metadata.GetString(member.Name)));
                used++;
            }
        }

        Assert.True(used >= 2, $"{used} members of {host.Name} are used.");
    }

    /// <summary>One package for all tests.</summary>
    public sealed class Packed : IDisposable
    {
        private readonly string folder = Directory.CreateTempSubdirectory("gradscope-package").FullName;

        public Packed()
        {
            // Of what the tests were built from, so that a second build at the same time cannot get in the way.
            var configuration = AppContext.BaseDirectory.Contains($"{System.IO.Path.DirectorySeparatorChar}Release{System.IO.Path.DirectorySeparatorChar}", StringComparison.Ordinal) ? "Release" : "Debug";
            var project = System.IO.Path.Combine(Repository.Root, "src", "GradScope.Interactive", "GradScope.Interactive.csproj");
            using var pack = Process.Start(new ProcessStartInfo("dotnet", ["pack", project, "--no-build", "--nologo", "-c", configuration, "-o", folder])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var error = pack.StandardError.ReadToEndAsync();
            var output = pack.StandardOutput.ReadToEnd();
            pack.WaitForExit();
            Assert.True(pack.ExitCode == 0, output + error.Result);
            Path = Directory.EnumerateFiles(folder, "*.nupkg").Single();
        }

        public string Path { get; }

        public void Dispose() => Directory.Delete(folder, recursive: true);
    }
}
