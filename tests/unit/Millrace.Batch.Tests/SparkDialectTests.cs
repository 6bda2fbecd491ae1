using Millrace.Batch.SparkConnect;
using Millrace.Primitives;

namespace Millrace.Batch.Tests;

public sealed class SparkDialectTests
{
    [TestCase("SELECT \"a b\" FROM t WHERE x = $x;", "SELECT `a b` FROM t WHERE x = :p_x")]
    [TestCase("SELECT 'it''s \\n' -- why", "SELECT 'it\\'s \\\\n'")]
    [TestCase("SELECT CAST(a AS VARCHAR), b::TIMESTAMPTZ", "SELECT CAST(a AS STRING), b::TIMESTAMP")]
    [TestCase("SELECT text FROM t", "SELECT text FROM t")]
    [TestCase("SELECT `a", "SELECT `a")]
    public void A_statement_is_written_as_spark_reads_it(string sql, string spark) =>
        Assert.That(SparkDialect.Translate(sql, "p_"), Is.EqualTo(spark));

    [TestCase("SELECT reflect('java.lang.Runtime', 'x')")]
    [TestCase("SELECT \"JAVA_METHOD\"('java.lang.Runtime', 'x')")]
    [TestCase("SELECT try_reflect /* */ ('java.lang.Runtime', 'x')")]
    public void Functions_that_call_java_are_refused(string sql) =>
        Assert.That(() => SparkDialect.Translate(sql, "p_"),
            Throws.InstanceOf<MillraceException>().With.Property("Error").Property("Code").EqualTo("BA-0001"));
}
