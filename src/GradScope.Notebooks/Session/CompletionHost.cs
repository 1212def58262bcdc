using System.Composition.Hosting;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using Microsoft.CodeAnalysis.Host;
using Microsoft.CodeAnalysis.Host.Mef;

namespace GradScope.Notebooks;

/// <summary>
/// Composes Roslyn's services from the parts that complete and explain. Roslyn's own host loads every type of its four assemblies
/// to look for parts, refactorings and fixes among them: twice the time and 25 MB more, before the first completion.
/// </summary>
internal static class CompletionHost
{
    private static readonly HashSet<string> exports =
    [
        "ExportAttribute", "ExportWorkspaceServiceAttribute", "ExportWorkspaceServiceFactoryAttribute", "ExportLanguageServiceAttribute",
        "ExportLanguageServiceFactoryAttribute", "ExportCompletionProviderAttribute", "ExportQuickInfoProviderAttribute",
    ];

    /// <summary>These look through every namespace there is for names that would need a <c>using</c> put at the top, which a client cannot do.</summary>
    private static readonly HashSet<string> left = ["TypeImportCompletionProvider", "ExtensionMemberImportCompletionProvider"];

    public static HostServices Create() => MefHostServices.Create(
        new ContainerConfiguration().WithParts(MefHostServices.DefaultAssemblies.SelectMany(Parts)).CreateContainer());

    /// <summary>Looks in the metadata, since a type that is not loaded costs nothing.</summary>
    private static IEnumerable<Type> Parts(Assembly assembly)
    {
        using var metadata = CellReferences.Metadata(assembly.Location);
        var reader = metadata.GetModules()[0].GetMetadataReader();
        return [.. reader.TypeDefinitions.Where(handle => IsPart(reader, reader.GetTypeDefinition(handle)))
            .Select(handle => assembly.ManifestModule.ResolveType(MetadataTokens.GetToken(handle)))];
    }

    private static bool IsPart(MetadataReader reader, TypeDefinition type) =>
        type.GetCustomAttributes().Any(attribute => exports.Contains(NameOf(reader, reader.GetCustomAttribute(attribute)))) && !left.Contains(reader.GetString(type.Name));

    private static string NameOf(MetadataReader reader, CustomAttribute attribute)
    {
        var type = attribute.Constructor.Kind == HandleKind.MemberReference
            ? reader.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent
            : reader.GetMethodDefinition((MethodDefinitionHandle)attribute.Constructor).GetDeclaringType();
        return type.Kind switch
        {
            HandleKind.TypeReference => reader.GetString(reader.GetTypeReference((TypeReferenceHandle)type).Name),
            HandleKind.TypeDefinition => reader.GetString(reader.GetTypeDefinition((TypeDefinitionHandle)type).Name),
            _ => "",
        };
    }
}
