using System.ComponentModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Millrace.Hosting.Options;

/// <summary>Registers options so that all that is wrong with them is said at start, each with its key.</summary>
public static class ValidatedOptions
{
    static ValidatedOptions() =>
        TypeDescriptor.AddAttributes(typeof(TimeSpan), new TypeConverterAttribute(typeof(DurationConverter)));

    /// <summary>
    /// Binds <typeparamref name="T"/> to the configuration section and validates it (data annotations, those of nested
    /// options too, and any IValidateOptions that is registered) when the host starts.
    /// </summary>
    public static IServiceCollection AddValidatedOptions<T>(this IServiceCollection services, string section)
        where T : class
    {
        services.AddOptions<T>()
            .Configure<IConfiguration>((options, configuration) => Bind(options, configuration, section))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<T>>(new AnnotatedOptions<T>(section));
        services.AddSingleton(new OptionsSection(section, typeof(T)));
        return services;
    }

    private static void Bind<T>(T options, IConfiguration configuration, string section)
        where T : class
    {
        try
        {
            configuration.GetSection(section).Bind(options);
        }
        catch (InvalidOperationException e)
        {
            // A value that cannot be converted: told like all else that is wrong.
            var why = e.InnerException is null ? "" : $" {e.GetBaseException().Message}";
            throw new OptionsValidationException(section, typeof(T), [e.Message + why]);
        }
    }
}

/// <summary>A section of the configuration, and the options that it sets.</summary>
public sealed record OptionsSection(string Key, Type Type);
