using System.Reflection;
using Millrace.ColdPath.Jobs.DataQuality;
using Millrace.ColdPath.Jobs.DeviceHourStatistics;
using Millrace.ColdPath.Jobs.Downsampling;
using Millrace.ColdPath.Jobs.Features;
using Millrace.Hosting;

namespace Millrace.ColdPath.Catalog;

/// <summary>
/// What <c>class</c> in <c>job.json</c> may say: a class of the program by its name, or FILE.dll::Namespace.Type, where
/// the file is one of the job's folder.
/// </summary>
internal static class JobClasses
{
    private const string TypeMark = "::";

    private static readonly SortedDictionary<string, Func<IFrameJob>> OfProgram = new(StringComparer.Ordinal)
    {
        ["DataQuality"] = () => new DataQualityJob(),
        ["DeviceHourStatistics"] = () => new DeviceHourStatisticsJob(),
        ["Downsampling"] = () => new DownsamplingJob(),
        ["Features"] = () => new FeaturesJob(),
    };

    /// <summary>The class; null (and why) when there is none.</summary>
    public static IFrameJob? TryMake(string name, string folder, out string wrong)
    {
        wrong = "";
        if (OfProgram.TryGetValue(name, out var make)) return make();
        if (name.Split(TypeMark) is [var file, var typeName]) return TryLoad(file, typeName, folder, out wrong);
        wrong = $"There is no class {name}; the program has {string.Join(", ", OfProgram.Keys)}, "
            + $"and one of your own is FILE.dll{TypeMark}Namespace.Type.";
        return null;
    }

    private static IFrameJob? TryLoad(string file, string typeName, string folder, out string wrong)
    {
        wrong = "";
        try
        {
            var type = UserAssembly.Load(Path.GetFullPath(file, Path.GetFullPath(folder))).GetType(typeName);
            if (type is null) wrong = $"{file} has no type {typeName}.";
            else if (type.IsAbstract || !type.IsAssignableTo(typeof(IFrameJob)))
                wrong = $"{typeName} is no class that implements {nameof(IFrameJob)}.";
            else if (type.GetConstructor(Type.EmptyTypes) is not { } constructor)
                wrong = $"{typeName} has no public constructor without parameters.";
            else return (IFrameJob)constructor.Invoke(null);
        }
        catch (Exception e) when (UserAssembly.IsUnreadable(e) || e is TypeLoadException)
        {
            wrong = $"{file} cannot be loaded: {e.Message}";
        }
        catch (TargetInvocationException e)
        {
            wrong = $"{typeName} cannot be made: {e.GetBaseException().Message}";
        }

        return null;
    }
}
