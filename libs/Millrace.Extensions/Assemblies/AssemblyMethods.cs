using System.Reflection;
using Millrace.Hosting;

namespace Millrace.Extensions.Assemblies;

/// <summary>
/// Finds FILE.dll::Namespace.Type.Method. Each file is loaded once, so that its methods share what is static in it.
/// </summary>
internal sealed class AssemblyMethods
{
    private readonly Dictionary<string, Assembly> _loaded = [];

    public MethodInfo Find(string reference)
    {
        var parts = reference.Split("::");
        var dot = parts.Length == 2 ? parts[1].LastIndexOf('.') : -1;
        if (dot <= 0) throw Missing(reference, "it has another form.");
        var (typeName, methodName) = (parts[1][..dot], parts[1][(dot + 1)..]);
        var type = AssemblyAt(reference, parts[0]).GetType(typeName)
            ?? throw Missing(reference, $"the assembly has no type {typeName}.");
        const BindingFlags Any = BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance;
        var methods = type.GetMethods(Any).Where(method => method.Name == methodName).ToList();
        return methods switch
        {
            [] => throw Missing(reference, $"{typeName} has no public method {methodName}."),
            [{ IsStatic: false }] => throw ExtensionErrors.MethodUnsuitable.With(reference, "It is not static.")
                .AsException(),
            [var one] => one,
            _ => throw ExtensionErrors.MethodUnsuitable.With(reference, $"There are {methods.Count} of that name.")
                .AsException(),
        };
    }

    private Assembly AssemblyAt(string reference, string file)
    {
        var path = Path.GetFullPath(file);
        if (_loaded.TryGetValue(path, out var known)) return known;
        try
        {
            return _loaded[path] = UserAssembly.Load(path);
        }
        catch (Exception unreadable) when (UserAssembly.IsUnreadable(unreadable))
        {
            throw ExtensionErrors.MethodMissing.With(reference, unreadable.Message).AsException(unreadable);
        }
    }

    private static Exception Missing(string reference, string why) =>
        ExtensionErrors.MethodMissing.With(reference, char.ToUpperInvariant(why[0]) + why[1..]).AsException();
}
