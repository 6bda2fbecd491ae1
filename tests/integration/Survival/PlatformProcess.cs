using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using Millrace.Hosting;
using Millrace.TestKit;
using Millrace.TestKit.Network;

namespace Millrace.Integration.Tests.Survival;

/// <summary>`millrace dev` as a process of its own on one data folder, to be killed and started again.</summary>
internal sealed partial class PlatformProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);

    private readonly string _data;
    private readonly (string Key, string Value)[] _settings;
    private readonly List<string> _printed = [];
    private Process? _process;

    public PlatformProcess(string data, params (string Key, string Value)[] settings)
    {
        (_data, _settings) = (data, settings);
        (MqttPort, MqttsPort, HttpPort) = (FreePort.Next(), FreePort.Next(), FreePort.Next());
    }

    public int MqttPort { get; }

    public int MqttsPort { get; }

    public int HttpPort { get; }

    public HttpClient Api { get; } = new() { Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>Starts the platform, and returns when it says that it is ready.</summary>
    public Task StartAsync()
    {
        Launch();
        return WaitReadyAsync();
    }

    /// <summary>Starts the platform, and does not wait for it.</summary>
    public void Launch(params string[] options) => Launch("dev",
        ["--mqtt-port", $"{MqttPort}", "--mqtts-port", $"{MqttsPort}", "--http-port", $"{HttpPort}", .. options]);

    /// <summary>Starts only these roles, by configuration.</summary>
    public Task StartRolesAsync(string roles)
    {
        LaunchRoles(roles);
        return WaitReadyAsync();
    }

    /// <summary>Starts only these roles, and does not wait for them.</summary>
    public void LaunchRoles(string roles)
    {
        Api.BaseAddress ??= new Uri($"http://127.0.0.1:{HttpPort}/");
        Launch("run",
            ["--roles", roles, "--set", $"Gateway:Mqtt:Port={MqttPort}", "--set", $"Http:Port={HttpPort}"]);
    }

    private void Launch(string verb, string[] options)
    {
        var start = new ProcessStartInfo("dotnet",
            [Path.Combine(AppContext.BaseDirectory, "millrace.dll"), verb, "--data", _data, .. options])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (verb == "dev" && File.Exists(EndpointFile)) File.Delete(EndpointFile);
        foreach (var (key, value) in _settings) start.Environment[$"MILLRACE_{key.Replace(":", "__")}"] = value;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>What the API answers; null while nobody does.</summary>
    public async Task<HttpStatusCode?> TryGetAsync(string path)
    {
        try
        {
            using var answer = await Api.GetAsync(path);
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>Ends the process at once, as a crash would.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks the process to stop, and returns its exit code.</summary>
    public async Task<int> TerminateAsync(TimeSpan limit)
    {
        Assert.That(_process!.HasExited, Is.False, () => $"It had ended, with {_process.ExitCode}.\n{Printed}");
        Assert.That(Signal(_process.Id, 15), Is.Zero, "kill(SIGTERM)");
        using var late = new CancellationTokenSource(limit);
        try
        {
            await _process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"The platform did not stop within {limit}.\n{Printed}");
        }

        return _process.ExitCode;
    }

    /// <summary>Waits until the process ends by itself, and returns its exit code.</summary>
    public async Task<int> EndsAsync(TimeSpan limit)
    {
        await Eventually.TrueAsync(() => _process!.HasExited, "it ends by itself", limit);
        return _process!.ExitCode;
    }

    public string Printed
    {
        get
        {
            lock (_printed) return string.Join('\n', _printed.TakeLast(60));
        }
    }

    /// <summary>Whether it has printed this since the first start.</summary>
    public bool HasPrinted(string text)
    {
        lock (_printed) return _printed.Exists(line => line.Contains(text, StringComparison.Ordinal));
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false }) await KillAsync();
        _process?.Dispose();
        Api.Dispose();
    }

    public async Task WaitReadyAsync()
    {
        Api.BaseAddress ??= new Uri($"http://127.0.0.1:{HttpPort}/");
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < StartLimit)
        {
            if (_process!.HasExited) Assert.Fail($"The platform ended with {_process.ExitCode}.\n{Printed}");
            try
            {
                using var ready = await Api.GetAsync("readyz");
                // Verbs look into the data folder for where all of it listens; and what it prints comes last.
                var isTold = HasPrinted("administrator's token")
                    || (HasPrinted("mosquitto_pub") && File.Exists(EndpointFile));
                if (ready.StatusCode == HttpStatusCode.OK && isTold)
                {
                    var token = (await File.ReadAllTextAsync(Path.Combine(_data, "admin.token"))).Trim();
                    Api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }

            await Task.Delay(50);
        }

        Assert.Fail($"The platform was not ready within {StartLimit}.\n{Printed}");
    }

    private string EndpointFile => new DataFolder(_data).EndpointFile;

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_printed) _printed.Add(line);
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Signal(int pid, int signal);
}
