using System.Reflection;
using System.Runtime.Loader;

namespace Millrace.Hosting;

/// <summary>Code that the installation adds: an assembly with what lies beside it.</summary>
public static class UserAssembly
{
    /// <summary>What the platform has too is the platform's, so that their types are the same.</summary>
    /// <param name="file">The full path.</param>
    /// <exception cref="IOException">Or <see cref="BadImageFormatException"/>: it cannot be read as one.</exception>
    public static Assembly Load(string file) => new Context(file).Main;

    /// <summary>Whether <see cref="Load"/> may fail so.</summary>
    public static bool IsUnreadable(Exception e) =>
        e is IOException or BadImageFormatException or UnauthorizedAccessException or InvalidOperationException;

    private sealed class Context(string file) : AssemblyLoadContext(Path.GetFileName(file))
    {
        private readonly AssemblyDependencyResolver _resolver = new(file);

        public Assembly Main => LoadFromAssemblyPath(file);

        protected override Assembly? Load(AssemblyName assemblyName)
        {
            if (Default.Assemblies.Any(known => known.GetName().Name == assemblyName.Name)) return null;
            return _resolver.ResolveAssemblyToPath(assemblyName) is { } path ? LoadFromAssemblyPath(path) : null;
        }
    }
}
