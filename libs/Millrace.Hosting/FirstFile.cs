using System.Runtime.InteropServices;

namespace Millrace.Hosting;

/// <summary>Files that several processes may make at the same time, of which the first stays.</summary>
public static partial class FirstFile
{
    private const int Exists = 17;

    /// <summary>
    /// Gives a finished file its name, unless there is a file of that name. The name that it had is gone either way.
    /// </summary>
    /// <exception cref="IOException">It can have no such name here.</exception>
    public static void Name(string finished, string path)
    {
        try
        {
            // File.Move looks whether the name is free and then renames: whoever came in between is overwritten.
            if (!OperatingSystem.IsWindows() && (Link(finished, path) == 0 || Marshal.GetLastPInvokeError() == Exists))
                return;

            // A file system without links.
            File.Move(finished, path);
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another one was first.
        }
        finally
        {
            File.Delete(finished);
        }
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string from, string to);
}
