using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.IO.MemoryMappedFiles;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Scripting;

namespace GradScope.Notebooks;

/// <summary>
/// What one session's cells are compiled against, each assembly once. References are a session's own: the compiler caches
/// types with them, and types cached for one session do not fit what another has compiled. The files under them are mapped
/// into memory once in the process and not read, so that only what the compiler looks at takes any.
/// </summary>
internal sealed class CellReferences : MetadataReferenceResolver
{
    /// <summary>What the runtime finds by name: the framework's and the host's. It lists System.Private.CoreLib twice.</summary>
    private static readonly ImmutableArray<string> trusted = [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Distinct()];
    private static readonly Lazy<IReadOnlyDictionary<string, string>> host = new(() => trusted.Except(Framework).ToDictionary(path => Path.GetFileNameWithoutExtension(path), StringComparer.OrdinalIgnoreCase));
    private static readonly ConcurrentDictionary<string, Lazy<MemoryMappedViewAccessor>> mapped = new();
    private static readonly string notebooks = typeof(CellReferences).Assembly.Location;

    private readonly ScriptMetadataResolver byPath;
    private readonly ConcurrentDictionary<string, PortableExecutableReference> known;

    public CellReferences()
        : this(ScriptMetadataResolver.Default, new())
    {
    }

    private CellReferences(ScriptMetadataResolver byPath, ConcurrentDictionary<string, PortableExecutableReference> known) => (this.byPath, this.known) = (byPath, known);

    /// <summary>The whole paths of the framework's assemblies.</summary>
    public static ImmutableArray<string> Framework { get; } =
        [.. trusted.Where(path => Path.GetDirectoryName(path) == Path.GetDirectoryName(typeof(object).Assembly.Location))];

    /// <summary>Asked for what an assembly that is referred to refers to itself.</summary>
    public override bool ResolveMissingAssemblies => true;

    /// <summary>What an assembly says of itself.</summary>
    public static AssemblyMetadata Metadata(string assembly)
    {
        var view = mapped.GetOrAdd(assembly, path => new(() => Map(path))).Value;
        return AssemblyMetadata.Create(ModuleMetadata.CreateFromImage(view.SafeMemoryMappedViewHandle.DangerousGetHandle(), (int)view.Capacity));
    }

    /// <summary>The same references, and files that cells name by a path are looked for from a folder.</summary>
    public CellReferences In(string folder) => new(byPath.WithBaseDirectory(folder), known);

    /// <summary>The reference to an assembly, whose members know their documentation.</summary>
    public PortableExecutableReference To(string assembly) => known.GetOrAdd(assembly, path => Metadata(path).GetReference(new XmlDocumentation(path), filePath: path));

    public override ImmutableArray<PortableExecutableReference> ResolveReference(string reference, string? baseFilePath, MetadataReferenceProperties properties) =>
        byPath.ResolveReference(reference, baseFilePath, properties);

    /// <summary>The host's compiler and sockets are behind what it offers to cells, never a part of it.</summary>
    public override PortableExecutableReference? ResolveMissingAssembly(MetadataReference definition, AssemblyIdentity referenceIdentity) =>
        (definition as PortableExecutableReference)?.FilePath == notebooks ? null
        : host.Value.TryGetValue(referenceIdentity.Name, out var path) ? To(path)
        : byPath.ResolveMissingAssembly(definition, referenceIdentity);

    public override bool Equals(object? obj) => ReferenceEquals(this, obj);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    /// <summary>For as long as the process lives, as the runtime does with an assembly that it loads.</summary>
    private static MemoryMappedViewAccessor Map(string assembly)
    {
        using var file = MemoryMappedFile.CreateFromFile(assembly, FileMode.Open, mapName: null, capacity: 0, MemoryMappedFileAccess.Read);
        return file.CreateViewAccessor(offset: 0, size: 0, MemoryMappedFileAccess.Read);
    }
}
