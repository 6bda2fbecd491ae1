using Millrace.Batch.SparkConnect;
using Millrace.Primitives;

namespace Millrace.Batch.Tests;

public sealed class SparkDialectTests
{
    [TestCase("SELECT \"a b\" FROM t WHERE x = $x;", "SELECT `a b` FROM t WHERE x = :p_x")]
    [TestCase("SELECT 'it''s \\n' -- why", "SELECT 'it\\'s \\\\n'")]
    [TestCase("SELECT CAST(a AS VARCHAR), b::TIMESTAMPTZ", "SELECT CAST(a AS STRING), b::TIMESTAMP")]
    [TestCase("SELECT text FROM t", "SELECT text FROM t")]
    [TestCase("SELECT body_text AS text, (a AS blob), ':' text", "SELECT body_text AS text, (a AS blob), ':' text")]
    [TestCase("SELECT count(*) AS varchar FROM t AS timestamptz", "SELECT count(*) AS varchar FROM t AS timestamptz")]
    [TestCase("SELECT CAST((SELECT a AS text FROM t) AS TEXT)", "SELECT CAST((SELECT a AS text FROM t) AS STRING)")]
    [TestCase("SELECT try_cast (coalesce(a, 'x') as blob)", "SELECT try_cast (coalesce(a, 'x') as BINARY)")]
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
